"""The webhooks' pages, for admins alone. That somebody is signed in, and that the plugin runs here, is seen to before any is called."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _

from plugin_framework.sdk import PluginAwareView, SecretLost, plugin_registry, reread
from plugins.webhooks_plugin import queries, services
from plugins.webhooks_plugin.forms import EndpointForm
from plugins.webhooks_plugin.models import PLUGIN, Endpoint
from plugins.webhooks_plugin.sending import SECRET_LOST

PAGE = 50


class AdminView(PluginAwareView):
    """A page for admins."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Refuse everybody else."""
        if not getattr(request.user, "is_admin", False):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)


class EndpointList(AdminView):
    """All endpoints."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """How each is doing."""
        rows = [(each, queries.state(each)) for each in queries.endpoints()]
        context = {"rows": rows, "most": services.MOST, "full": len(rows) >= services.MOST}
        return render(request, "webhooks_plugin/list.html", context)


class EndpointNew(AdminView):
    """A new endpoint."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The empty form."""
        return _form(request, EndpointForm(_plugin().http))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Add it."""
        form = EndpointForm(_plugin().http, request.POST)
        if form.is_valid():
            try:
                endpoint = services.add(form.save(commit=False), request.user)
            except services.TooMany as error:
                form.add_error(None, str(error))
            else:
                messages.success(
                    request, _("The endpoint is added. Copy its signing secret now: it is shown only once.")
                )
                return redirect("apps:webhooks:detail", endpoint.pk)
        return _form(request, form)


class EndpointEdit(AdminView):
    """One endpoint's form."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The form, filled in."""
        return _form(request, EndpointForm(_plugin().http, instance=_endpoint(pk)), pk)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Save it."""
        form = EndpointForm(_plugin().http, request.POST, instance=_endpoint(pk))
        if not form.is_valid():
            return _form(request, form, pk)
        services.change(form.save(commit=False), request.user)
        messages.success(request, _("The endpoint is saved."))
        return redirect("apps:webhooks:detail", pk)


class EndpointDetail(AdminView):
    """One endpoint: how it is doing, what was tried, and what can be done."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The page."""
        return _detail(request, pk)


class EndpointSecret(AdminView):
    """The button that shows the secret, once."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The endpoint's page with the secret; the second time, without it."""
        _endpoint(pk)
        try:
            secret = services.reveal_secret(pk, request.user)
        except SecretLost:
            messages.error(request, str(SECRET_LOST()))
            return redirect("apps:webhooks:detail", pk)
        if secret is None:
            messages.warning(request, _("The secret was shown already. If nobody has kept it, make a new one."))
            return redirect("apps:webhooks:detail", pk)
        response = _detail(request, pk, secret)
        add_never_cache_headers(response)
        return response


class EndpointRotate(AdminView):
    """The button that makes a new secret."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Make it."""
        _endpoint(pk)
        services.replace_secret(pk, request.user)
        messages.success(request, _("There is a new secret. For 24 hours messages are signed with the old one too."))
        return redirect("apps:webhooks:detail", pk)


class EndpointTest(AdminView):
    """The button that sends a test event."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send it, and say what came of it."""
        plugin = _plugin()
        result = services.send_test(plugin.http, _endpoint(pk), plugin.tenant.name)
        if result.error:
            messages.error(request, _("The test event did not arrive. %(error)s") % {"error": reread(result.error)})
        else:
            messages.success(
                request, _("The test event arrived: the answer was %(status)s.") % {"status": result.status}
            )
        return redirect("apps:webhooks:detail", pk)


class EndpointSwitchOn(AdminView):
    """The button that begins sending."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Begin."""
        _endpoint(pk)
        services.switch_on(pk, request.user)
        messages.success(request, _("The endpoint is switched on. It is told what happens from now on."))
        return redirect("apps:webhooks:detail", pk)


class EndpointSwitchOff(AdminView):
    """The button that stops sending."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Stop."""
        _endpoint(pk)
        services.switch_off(pk, request.user)
        messages.success(request, _("The endpoint is switched off."))
        return redirect("apps:webhooks:detail", pk)


class EndpointDelete(AdminView):
    """The button that deletes."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Delete it."""
        endpoint = _endpoint(pk)
        services.delete(pk, request.user)
        messages.success(request, _("“%(endpoint)s” is deleted.") % {"endpoint": endpoint})
        return redirect("apps:webhooks:list")


def _plugin() -> Any:
    return plugin_registry.enabled_plugins[PLUGIN]


def _endpoint(pk: int) -> Endpoint:
    return get_object_or_404(Endpoint, pk=pk)


def _detail(request: HttpRequest, pk: int, secret: str = "") -> HttpResponse:
    endpoint = get_object_or_404(queries.endpoints(), pk=pk)
    page = Paginator(endpoint.attempts.all(), PAGE).get_page(request.GET.get("page"))
    context = {"endpoint": endpoint, "state": queries.state(endpoint), "page": page, "secret": secret}
    return render(request, "webhooks_plugin/detail.html", context)


def _form(request: HttpRequest, form: EndpointForm, pk: int | None = None) -> HttpResponse:
    return render(request, "webhooks_plugin/form.html", {"form": form, "pk": pk}, status=422 if form.errors else 200)
