"""Settings of the processes of the isolation storm: the tests' own, and its two plugins."""

from saas.settings_test import *  # noqa: F403  # Django's own idiom for a settings file over another
from saas.settings_test import PLUGINS as _PLUGINS

PLUGINS = {
    **_PLUGINS,
    "nosy": {"module": "tests.isolation.storm.plugins", "class": "NosyPlugin"},
    "wary": {"module": "tests.isolation.storm.plugins", "class": "WaryPlugin"},
}
