"""Settings of two releases side by side: an app of the platform's own, `acme_ledger`, and a plugin that is found by itself."""

from tests.faults.settings import *  # noqa: F403  # Django's own idiom for a settings file over another
from tests.faults.settings import INSTALLED_APPS as _INSTALLED_APPS
from tests.faults.settings import TENANT_APPS as _TENANT_APPS

TENANT_APPS = [*_TENANT_APPS, "acme_ledger"]
INSTALLED_APPS = ["saas", "acme_ledger", *_INSTALLED_APPS[1:]]
ROOT_URLCONF = "acme_ledger.urls"
