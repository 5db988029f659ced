"""Settings of our side of the delivery benchmarks: the shipped ones, with plugins whose handlers do what is measured."""

from saas.settings import *  # noqa: F403  # Django's own idiom for a settings file over another
from saas.settings import LOGGING

PLUGINS = {
    "bench_noop": {"module": "bench.delivery.plugins", "class": "NoopPlugin"},
    "bench_noop_too": {"module": "bench.delivery.plugins", "class": "NoopTooPlugin"},
    "bench_clock": {"module": "bench.delivery.plugins", "class": "ClockPlugin"},
    "bench_hostile": {"module": "bench.delivery.plugins", "class": "HostilePlugin"},
}
# Its organisations have the engine's tables alone, which each worker would say of twenty of them.
LOGGING = {**LOGGING, "loggers": {"saas.damage": {"level": "CRITICAL"}}}
