"""A plugin that shows what it sees: its tenant, its settings, the rows of its tenant; and remembers every call of its handler."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_not_required
from django.db import connection, transaction
from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.utils.decorators import method_decorator

from plugin_framework.sdk import ConfigurablePlugin, PluginAwareView, hook, plugin_registry
from plugin_framework.tenancy import current_tenant

# (the request's own number, the plugin's tenant, the tenant that was current, the plugin's canary); list.append is atomic
DISPATCHED: list[tuple[str, str, str, str]] = []
CLEANED: list[str] = []


@method_decorator(login_not_required, name="dispatch")
class CanaryView(PluginAwareView):
    """All that can be seen from inside one request."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        if "stream" in request.GET:
            return StreamingHttpResponse(self._piece_by_piece(request.GET["stream"]))
        if "fail" in request.GET:
            with transaction.atomic():
                get_user_model().objects.update(name="spoilt")
                if request.GET["fail"] == "exit":
                    sys.exit(3)
                raise RuntimeError("planned")
        if "savepoint" in request.GET:
            self._roll_back_inside()
        with connection.cursor() as cursor:
            cursor.execute("SHOW search_path")
            search_path = cursor.fetchone()[0]
        return JsonResponse(
            {
                "tenant": current_tenant().slug,
                "canary": plugin_registry.enabled_plugins["canary"].settings["canary"],
                "rows": list(get_user_model().objects.values_list("name", flat=True)),
                "search_path": search_path,
            }
        )

    def _piece_by_piece(self, how: str) -> Iterator[str]:
        """Looks each time anew, after the view has returned."""
        for _ in range(3):
            names = get_user_model().objects.values_list("name", flat=True)
            yield f"{current_tenant().slug}: {', '.join(names)} {plugin_registry.enabled_plugins['canary'].settings['canary']}\n"
            if how == "exit":
                sys.exit(3)

    def _roll_back_inside(self) -> None:
        try:
            with transaction.atomic():
                get_user_model().objects.update(name="spoilt")
                raise RuntimeError("planned")
        except RuntimeError:
            return


class CanaryPlugin(ConfigurablePlugin):
    """Records each dispatch together with what the request said of itself."""

    name, version = "canary", "1.0.0"
    urls = [path("", CanaryView.as_view(), name="page")]

    def get_config_schema(self) -> dict[str, Any]:
        return {"type": "object", "properties": {"canary": {"type": "string", "minLength": 1}}, "required": ["canary"]}

    def initialize(self, config: dict[str, Any]) -> None:
        self.canary = config["canary"]

    def cleanup(self) -> None:
        CLEANED.append(self.canary)

    @hook("view_pre_dispatch")
    def seen(self, view: object, request: HttpRequest) -> None:
        DISPATCHED.append((request.headers.get("X-Number", ""), self.tenant.slug, current_tenant().slug, self.canary))
