"""Settings of django-tenants' side: its backend as it comes, its middleware alone, over the same apps, tables and view."""

from bench.settings import *  # noqa: F403  # Django's own idiom for a settings file over another

PLUGINS = {}
MEASURED = ["django_tenants.middleware.main.TenantMainMiddleware"]
TENANT_SYNC_ROUTER = "django_tenants.routers.TenantSyncRouter"
DATABASE_ROUTERS = [TENANT_SYNC_ROUTER]  # ours wants a current tenant
TENANT_LIMIT_SET_CALLS = True  # the faster of its two ways
DATABASES["default"]["ENGINE"] = "django_tenants.postgresql_backend"  # noqa: F405  # from the star import
DATABASES["default"]["OPTIONS"].pop("options")  # noqa: F405  # our empty search_path: it expects the server's default
