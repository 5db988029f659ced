"""The pages of all plugins, under /apps/<name>/; `PluginMiddleware` decides for each request whether they answer."""

from django.urls import include, path

from plugin_framework.middleware import APPS
from plugin_framework.registry import registry

app_name = APPS
urlpatterns = [
    path(f"{spec.name.replace('_', '-')}/", include((list(spec.urls), spec.name)))
    for spec in registry.specs.values()
    if spec.urls
]
