"""Settings of our side of the benchmark: the shipped ones, with generated plugins and no middleware but the two that are measured."""

import os

from bench.plugins import listed
from saas.settings import *  # noqa: F403  # Django's own idiom for a settings file over another

PLUGINS = listed(int(os.environ.get("BENCH_PLUGINS", "0")))
# What the requests pass; MIDDLEWARE stays as shipped until then, because allauth wants to see its own there at start.
MEASURED = ["tenants.middleware.TenantMiddleware", "plugin_framework.middleware.PluginMiddleware"]
ROOT_URLCONF = "bench.site"
