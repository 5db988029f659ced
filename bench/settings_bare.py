"""Settings of the bare side: the same view without any tenancy, on a connection that has always been in the one schema."""

import os

from bench.settings import *  # noqa: F403  # Django's own idiom for a settings file over another

PLUGINS = {}
MEASURED = []
TENANT_SYNC_ROUTER = "django_tenants.routers.TenantSyncRouter"
DATABASE_ROUTERS = [TENANT_SYNC_ROUTER]  # which django-tenants demands; ours wants a current tenant
DATABASES["default"]["ENGINE"] = "django.db.backends.postgresql"  # noqa: F405  # from the star import
_schema = os.environ.get("BENCH_SCHEMA", "public")
DATABASES["default"]["OPTIONS"]["options"] = f"-c search_path={_schema},public"  # noqa: F405  # the same
