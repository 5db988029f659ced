"""The WSGI entry point."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "saas.settings")
_django = get_wsgi_application()

from saas.self_test import TestedApplication  # noqa: E402  # it needs the settings

application = TestedApplication(_django)
