"""The invoices' pages. That somebody is signed in, and that the plugin runs here, is seen to before any of them is called."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from plugin_framework.sdk import PluginAwareView
from plugins.invoices_plugin import queries, services
from plugins.invoices_plugin.models import Invoice

PAGE = 20


class SearchForm(forms.Form):
    """The fields above the list."""

    q = forms.CharField(label=gettext_lazy("Search"), required=False, max_length=100)
    state = forms.ChoiceField(
        label=gettext_lazy("Payment"), required=False, choices=[("", gettext_lazy("All invoices")), *queries.STATES]
    )


class InvoiceList(PluginAwareView):
    """All invoices, newest first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The page of the list that fits the search."""
        form = SearchForm(request.GET)
        wanted = form.cleaned_data if form.is_valid() else {}
        found = queries.search(wanted.get("q", ""), wanted.get("state", ""))
        page = Paginator(found, PAGE).get_page(request.GET.get("page"))
        searching = bool(wanted.get("q") or wanted.get("state"))
        return render(request, "invoices_plugin/list.html", {"form": form, "page": page, "searching": searching})


class InvoiceDetail(PluginAwareView):
    """One invoice, among the other pages."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The invoice and its lines."""
        return _shown(request, pk, "invoices_plugin/detail.html")


class InvoicePrint(PluginAwareView):
    """One invoice on a sheet of paper."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The sheet, without the frame of the other pages."""
        return _shown(request, pk, "invoices_plugin/print.html")


class InvoicePaid(PluginAwareView):
    """The button that notes a payment."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Note it, once."""
        invoice = get_object_or_404(Invoice, pk=pk)
        noted = services.note_payment(pk, request.user)
        said = _("%(invoice)s is noted as paid.") if noted else _("%(invoice)s is already noted as paid.")
        messages.success(request, said % {"invoice": invoice})
        return redirect("apps:invoices:detail", pk)


class InvoiceUnpaid(PluginAwareView):
    """The button that takes the note back."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take it back, once."""
        invoice = get_object_or_404(Invoice, pk=pk)
        taken = services.take_payment_back(pk, request.user)
        said = _("%(invoice)s is noted as not paid.") if taken else _("%(invoice)s is already noted as not paid.")
        messages.success(request, said % {"invoice": invoice})
        return redirect("apps:invoices:detail", pk)


def _shown(request: HttpRequest, pk: int, template: str) -> HttpResponse:
    invoice = get_object_or_404(Invoice.objects.select_related("paid_noted_by"), pk=pk)
    return render(request, template, {"invoice": invoice, "lines": invoice.lines.all()})
