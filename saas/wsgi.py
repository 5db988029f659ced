"""The WSGI entry point."""

import gc
import os

from django.core.wsgi import get_wsgi_application

gc.disable()  # as in manage.py
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "saas.settings")
_django = get_wsgi_application()

from plugin_framework.db.rollout import judged  # noqa: E402  # it needs the settings
from saas.isolation_checks import refuse_to_serve  # noqa: E402  # the same
from saas.self_test import TestedApplication  # noqa: E402  # the same

refuse_to_serve()
judged()  # reads all migrations: now, and not while the first visitor waits
application = TestedApplication(_django)
