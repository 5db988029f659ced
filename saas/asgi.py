"""There is no ASGI entry point; whoever looks for one is told why."""

from django.core.exceptions import ImproperlyConfigured

from saas.unsupported import NO_ASGI

raise ImproperlyConfigured(NO_ASGI)
