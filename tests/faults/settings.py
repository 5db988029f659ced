"""Settings of the processes that fault tests start: the tests' own, and two plugins that do what they are told."""

from saas.settings_test import *  # noqa: F403  # Django's own idiom for a settings file over another
from saas.settings_test import PLUGINS as _PLUGINS

PLUGINS = {
    **_PLUGINS,
    "faulty": {"module": "tests.faults.plugin", "class": "FaultyPlugin"},
    "clockwork": {"module": "tests.faults.plugin", "class": "ClockworkPlugin"},
    "poster": {"module": "tests.faults.plugin", "class": "PosterPlugin"},
    "steady": {"module": "tests.faults.plugin", "class": "SteadyPlugin"},
}
