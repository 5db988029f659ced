"""Two plugins for the storm: one whose page does whatever could mix organisations up, one that is switched on and off meanwhile.

Every answer says what was seen from inside of the request: the organisation, the connection's search_path, settings, rows.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.utils.decorators import method_decorator

from plugin_framework.audit import Actor, record
from plugin_framework.models import AuditEntry
from plugin_framework.sdk import (
    ConfigurablePlugin,
    NoTenant,
    PluginAwareView,
    cron,
    delivery_key,
    emit,
    event,
    hook,
    plugin_registry,
)
from plugin_framework.tenancy import bound, current_tenant
from tests.isolation.storm.marks import PLACES

NOBODY = "no tenant"  # what a thread sees that nobody has handed a tenant
_ACTOR = Actor("storm")
_ANOTHERS = "SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname LIKE 't\\_%' ORDER BY random() LIMIT 1"


class Planned(Exception):
    """The view changes its mind."""


def settings() -> Any:
    """The settings of the plugin as the current organisation has them."""
    return plugin_registry.enabled_plugins["nosy"].settings


def search_path() -> str:
    """What the server says, asked past the ORM."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW search_path")
        return str(cursor.fetchone()[0])


def seen() -> dict[str, Any]:
    """All that can be seen of the organisation from here."""
    return {
        "tenant": current_tenant().slug,
        "path": search_path(),
        "own": settings()["setting"],
        "secret": settings()["secret"],
        "rows": list(get_user_model().objects.order_by("-pk").values_list("name", flat=True)[:3]),
        "spoilt": AuditEntry.objects.filter(action="storm.spoilt").count(),
    }


def spoil() -> None:
    """Write what must never be seen again."""
    record(_ACTOR, "storm.spoilt", settings()["row"])


class _Page(PluginAwareView):
    def answer(self, request: HttpRequest, **more: Any) -> JsonResponse:
        """What is seen, and whose request this is."""
        return JsonResponse({**seen(), "number": request.GET.get("n"), "wary": getattr(request, "wary", None), **more})


@method_decorator(login_not_required, name="dispatch")
class NosyView(_Page):
    """`/apps/nosy/<what>/?n=<number>`; each method below is a `what`."""

    def get(self, request: HttpRequest, what: str) -> HttpResponseBase:
        plugin_registry.enabled_plugins["nosy"].log.info("asked for %s by %s", what, settings()["log"])
        do: Callable[[HttpRequest], HttpResponseBase] = getattr(self, f"do_{what}")
        return do(request)

    def do_see(self, request: HttpRequest) -> HttpResponse:
        return self.answer(request)

    def do_cache(self, request: HttpRequest) -> HttpResponse:
        found = [cache.get("nosy"), cache.get_or_set("nosy-too", settings()["cache"], 60)]
        cache.set("nosy", settings()["cache"], 60)
        return self.answer(request, cached=[*found, cache.get("nosy")])

    def do_session(self, request: HttpRequest) -> HttpResponse:
        found = request.session.get("nosy")
        request.session["nosy"] = settings()["session"]
        return self.answer(request, found=found)

    def do_file(self, request: HttpRequest) -> HttpResponse:
        """Keep a file, and look into one whose name somebody has brought."""
        kept = default_storage.save("nosy/note.txt", ContentFile(settings()["file"]))
        brought = request.GET.get("file", kept)
        there = default_storage.exists(brought)
        with default_storage.open(brought if there else kept) as file:
            return self.answer(request, kept=kept, there=there, content=file.read().decode())

    def do_rollback(self, request: HttpRequest) -> HttpResponse:
        try:
            with transaction.atomic():
                spoil()
                raise Planned
        except Planned:
            return self.answer(request)

    def do_savepoints(self, request: HttpRequest) -> HttpResponse:
        """Three deep, the innermost undone: by us, by an error of the database, and after a rude change of path."""
        with transaction.atomic():
            record(_ACTOR, "storm.kept", settings()["row"])
            for harm in (self._raise, self._divide, self._go_next_door):
                try:
                    with transaction.atomic(), transaction.atomic():
                        spoil()
                        harm()
                except (Planned, DatabaseError):
                    assert search_path().startswith('"t_'), "it has to be sent again inside of this transaction"
            return self.answer(request)

    def _raise(self) -> None:
        raise Planned

    def _divide(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    def _go_next_door(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_ANOTHERS)
            cursor.execute("SELECT set_config('search_path', %s, false)", [cursor.fetchone()[0]])
        raise Planned

    def do_raise(self, request: HttpRequest) -> HttpResponse:
        with transaction.atomic():
            spoil()
            raise Planned

    def do_rude(self, request: HttpRequest) -> HttpResponse:
        """Change the path behind everybody's back: once for ourselves, and once for whoever has this connection next."""
        for _ in range(2):
            answer = self.answer(request)
            with contextlib.suppress(Planned):
                self._go_next_door()
        return answer

    def do_reconnect(self, request: HttpRequest) -> HttpResponse:
        seen()
        connection.close()
        return self.answer(request)

    def do_stream(self, request: HttpRequest) -> HttpResponseBase:
        def parts() -> Iterator[str]:
            yield "["
            for _ in range(3):
                yield self.answer(request).content.decode() + ","
            yield self.answer(request).content.decode() + "]"

        return StreamingHttpResponse(parts(), content_type="application/json")

    def do_thread(self, request: HttpRequest) -> HttpResponse:
        found: list[Any] = []

        def look() -> None:
            try:
                found.append(seen())
            except NoTenant:
                found.append(NOBODY)
            finally:
                connection.close()

        for target in (look, bound(look)):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
        return self.answer(request, bare=found[0], bound=found[1])

    def do_emit(self, request: HttpRequest) -> HttpResponse:
        return self._emit(request, roll_back=False)

    def do_unsay(self, request: HttpRequest) -> HttpResponse:
        """Emit, and roll back."""
        return self._emit(request, roll_back=True)

    def _emit(self, request: HttpRequest, *, roll_back: bool) -> HttpResponse:
        with transaction.atomic():
            emit("nosy_told", {"number": request.GET.get("n"), "said": settings()["post"]})
            transaction.set_rollback(roll_back)
        return self.answer(request)

    def do_enable(self, request: HttpRequest) -> HttpResponse:
        plugin_registry.enable_plugin("wary")
        return self.answer(request)

    def do_disable(self, request: HttpRequest) -> HttpResponse:
        plugin_registry.disable_plugin("wary")
        return self.answer(request)


class _Marked(ConfigurablePlugin):
    def initialize(self, config: dict[str, Any]) -> None:
        pass

    def cleanup(self) -> None:
        pass


class NosyPlugin(_Marked):
    """Shows what it sees, does what it should not, and posts what it is told."""

    name, version = "nosy", "1.0.0"
    declares = (event("nosy_told", "what", doc="Something was said.", when="Whenever the storm says so."),)
    urls = [path("<slug:what>/", NosyView.as_view(), name="page")]

    def get_config_schema(self) -> dict[str, Any]:
        texts: dict[str, dict[str, Any]] = {place: {"type": "string"} for place in (*PLACES, "hook")}
        texts["secret"]["writeOnly"] = True
        return {"type": "object", "properties": texts, "required": list(texts)}

    @hook("nosy_told")
    def tell(self, what: dict[str, Any]) -> None:
        self._post("event", **what)

    @cron("* * * * *")
    def tick(self) -> None:
        self._post("job")

    def _post(self, kind: str, **more: Any) -> None:
        body = {**seen(), "kind": kind, "key": delivery_key(), "meant": self.tenant.slug, **more}
        self.log.info("posts an %s for %s", kind, self.settings["log"])
        self.http.post(self.settings["hook"], body=json.dumps(body).encode()).raise_for_status()


@method_decorator(login_not_required, name="dispatch")
class WaryView(_Page):
    """Answers while its plugin is enabled."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.answer(request, mine=plugin_registry.enabled_plugins["wary"].settings["wary"])


class WaryPlugin(_Marked):
    """Is switched on and off."""

    name, version = "wary", "1.0.0"
    urls = [path("", WaryView.as_view(), name="page")]

    def get_config_schema(self) -> dict[str, Any]:
        return {"type": "object", "properties": {"wary": {"type": "string"}}, "required": ["wary"]}

    @hook("view_pre_dispatch")
    def leave_mark(self, view: object, request: HttpRequest) -> None:
        request.wary = self.settings["wary"]  # type: ignore[attr-defined]  # as plugins do
