"""The orders' pages. That somebody is signed in, and that the plugin runs here, is seen to before any of them is called."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from plugin_framework.sdk import PluginAwareView, plugin_registry
from plugins.orders_plugin import queries, services
from plugins.orders_plugin.forms import OrderForm, SearchForm
from plugins.orders_plugin.models import Order

PAGE = 20


class OrderList(PluginAwareView):
    """All orders, newest first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The page of the list that fits the search."""
        form = SearchForm(request.GET)
        wanted = form.cleaned_data if form.is_valid() else {}
        found = queries.search(wanted.get("q", ""), wanted.get("state", ""))
        page = Paginator(found, PAGE).get_page(request.GET.get("page"))
        searching = bool(wanted.get("q") or wanted.get("state"))
        return render(request, "orders_plugin/list.html", {"form": form, "page": page, "searching": searching})


class OrderNew(PluginAwareView):
    """A new order."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The empty form."""
        return _form(request, OrderForm(currency=_currency()))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Make the draft."""
        if "more" in request.POST:
            return _form(request, OrderForm.with_more_lines(request.POST))
        form = OrderForm(data=request.POST)
        if not form.is_valid():
            return _form(request, form)
        order = services.create(form.wanted(), request.user)
        messages.success(request, _("%(order)s was saved as a draft.") % {"order": order})
        return redirect("apps:orders:detail", order.pk)


class OrderDetail(PluginAwareView):
    """One order."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The order and its lines."""
        order = get_object_or_404(Order.objects.select_related("created_by"), pk=pk)
        return render(request, "orders_plugin/detail.html", {"order": order, "lines": order.lines.all()})


class OrderEdit(PluginAwareView):
    """A draft's form."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The form, filled in."""
        order = get_object_or_404(Order, pk=pk)
        if not order.is_draft:
            messages.error(request, str(services.NotADraft()))
            return redirect("apps:orders:detail", pk)
        return _form(request, OrderForm(order), order)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Save the draft."""
        order = get_object_or_404(Order, pk=pk)
        if "more" in request.POST:
            return _form(request, OrderForm.with_more_lines(request.POST), order)
        form = OrderForm(data=request.POST)
        if form.is_valid():
            try:
                services.update(pk, form.wanted(), request.user, seen_revision=form.revision)
            except services.OrderError as error:
                form.errors.append(str(error))
            else:
                messages.success(request, _("%(order)s was saved.") % {"order": order})
                return redirect("apps:orders:detail", pk)
        return _form(request, form, order)


class OrderConfirm(PluginAwareView):
    """The button that confirms."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Confirm, once."""
        get_object_or_404(Order, pk=pk)
        try:
            confirmed = services.confirm(pk, request.user)
        except services.OrderError as error:
            messages.error(request, str(error))
        else:
            said = _("Order %(number)s is confirmed.") if confirmed else _("Order %(number)s was confirmed already.")
            messages.success(request, said % {"number": pk})
        return redirect("apps:orders:detail", pk)


class OrderCancel(PluginAwareView):
    """The button that cancels."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Cancel, once."""
        get_object_or_404(Order, pk=pk)
        cancelled = services.cancel(pk, request.user)
        said = _("Order %(number)s is cancelled.") if cancelled else _("Order %(number)s was cancelled already.")
        messages.success(request, said % {"number": pk})
        return redirect("apps:orders:detail", pk)


def _form(request: HttpRequest, form: OrderForm, order: Order | None = None) -> HttpResponse:
    return render(request, "orders_plugin/form.html", {"form": form, "order": order})


def _currency() -> str:
    """The tenant's usual currency."""
    plugin: Any = plugin_registry.enabled_plugins["orders"]
    return str(plugin.settings["currency"])
