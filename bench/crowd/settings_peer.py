"""Settings of django-tenants' side: its backend, router and commands as they come, over the same apps."""

from bench.crowd.settings import *  # noqa: F403  # Django's own idiom for a settings file over another

PLUGINS = {}
INSTALLED_APPS = [app for app in INSTALLED_APPS if app != "saas"]  # noqa: F405  # from the star import: its commands hide the peer's
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
TENANT_SYNC_ROUTER = "django_tenants.routers.TenantSyncRouter"
DATABASES["default"]["ENGINE"] = "django_tenants.postgresql_backend"  # noqa: F405  # from the star import
DATABASES["default"]["OPTIONS"].pop("options")  # noqa: F405  # our empty search_path: it expects the server's default
