"""The forms of the orders' pages. An order's form has a row per line; a row left blank is no line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from plugins.orders_plugin.models import Order, OrderLine, OrderState
from plugins.orders_plugin.services import LineInput, OrderInput

if TYPE_CHECKING:
    _OrderModelForm = forms.ModelForm[Order]
    _LineModelForm = forms.ModelForm[OrderLine]
else:  # Django's class takes no parameters while the program runs
    _OrderModelForm = _LineModelForm = forms.ModelForm

MOST_LINES = 50
SPARE_LINES = 3  # blank rows under the ones in use


class SearchForm(forms.Form):
    """The fields above the list."""

    q = forms.CharField(label=_("Search"), required=False, max_length=100)
    state = forms.ChoiceField(label=_("State"), required=False, choices=[("", _("All states")), *OrderState.choices])


class CustomerForm(_OrderModelForm):
    """The order itself, without its lines."""

    class Meta:
        model = Order
        fields = ["customer_name", "customer_email", "currency", "note"]
        widgets = {"note": forms.Textarea(attrs={"rows": 3})}
        labels = {
            "customer_name": _("Customer"),
            "customer_email": _("E-mail address"),
            "note": _("Note"),
            "currency": _("Currency"),
        }
        help_texts = {
            "customer_email": _("A confirmation is sent here if your organisation has enabled e-mail notifications."),
            "note": _("For your organisation only; the customer does not see it."),
        }


class LineForm(_LineModelForm):
    """One row of an order's form."""

    quantity = forms.IntegerField(label=_("Quantity"), required=False, min_value=1, max_value=99_999)

    class Meta:
        model = OrderLine
        fields = ["description", "quantity", "unit_price"]
        labels = {"description": _("Description"), "unit_price": _("Price")}
        widgets = {"unit_price": forms.NumberInput(attrs={"min": "0", "step": "0.01"})}

    def clean_quantity(self) -> int:
        """One, if nobody says how many."""
        return self.cleaned_data.get("quantity") or 1


@dataclass(frozen=True, slots=True)
class Wrong:
    """One error in the list above the form; `field`: the id of the field it is about, "" if it is about all of it."""

    field: str
    label: str
    message: str


class OrderForm:
    """The whole form: the customer's part, `MOST_LINES` rows at most, and the revision the person has been looking at."""

    def __init__(self, order: Order | None = None, data: QueryDict | None = None, *, currency: str = "") -> None:
        self.customer = CustomerForm(data, instance=order, initial={"currency": currency} if currency else None)
        self.bound = data is not None
        self.errors: list[str] = []
        self.revision = _number(data.get("revision"), 0) if data is not None else order.revision if order else 0
        self.lines = _rows_of(order) if data is None else [LineForm(data, **_row(i)) for i in range(_rows(data))]

    @classmethod
    def with_more_lines(cls, data: QueryDict) -> OrderForm:
        """What was typed, unchecked, with more blank rows below."""
        form = cls()
        form.customer = CustomerForm(initial=_typed(CustomerForm, data))
        form.revision = _number(data.get("revision"), 0)
        total = min(_rows(data) + SPARE_LINES, MOST_LINES)
        form.lines = [LineForm(initial=_typed(LineForm, data, f"line-{i}-"), **_row(i)) for i in range(total)]
        return form

    def is_valid(self) -> bool:
        """Whether all of it can be saved; if not, the errors stand in the fields' forms and in `errors`."""
        valid = [self.customer.is_valid(), *(line.is_valid() for line in self.lines)]
        if not any(line.has_changed() for line in self.lines):
            self.errors.append(gettext("Add at least one line."))
        return all(valid) and not self.errors

    def wanted(self) -> OrderInput:
        """The order as it was entered; call it after `is_valid` only."""
        lines = [line.cleaned_data for line in self.lines if line.has_changed()]
        return OrderInput(
            **{name: self.customer.cleaned_data[name] for name in CustomerForm.Meta.fields},
            lines=tuple(LineInput(**{name: line[name] for name in LineForm.Meta.fields}) for line in lines),
        )

    @property
    def wrong(self) -> list[Wrong]:
        """All that is wrong, from top to bottom."""
        found = [Wrong("", "", each) for each in (*self.errors, *self.customer.non_field_errors())]
        found += _wrong_in(self.customer)
        for number, line in enumerate(self.lines, start=1):
            found += _wrong_in(line, gettext("Line %(number)s") % {"number": number})
        return found

    @property
    def has_room(self) -> bool:
        """Whether more rows can be added."""
        return len(self.lines) < MOST_LINES


def _wrong_in(form: forms.BaseForm, where: str = "") -> list[Wrong]:
    """The errors of one part's fields; `where` it stands, if there are several with fields of the same names."""
    labels = {field.name: f"{where}: {field.label}" if where else str(field.label) for field in form}
    return [Wrong(field.id_for_label, labels[field.name], str(each)) for field in form for each in field.errors]


def _row(index: int) -> dict[str, Any]:
    return {"prefix": f"line-{index}", "empty_permitted": True, "use_required_attribute": False}


def _rows_of(order: Order | None) -> list[LineForm]:
    known: list[dict[str, Any]] = [dict(each) for each in order.lines.values(*LineForm.Meta.fields)] if order else []
    total = min(len(known) + SPARE_LINES, MOST_LINES)
    return [LineForm(initial=known[i] if i < len(known) else None, **_row(i)) for i in range(total)]


def _rows(data: QueryDict) -> int:
    return min(max(_number(data.get("lines"), SPARE_LINES), 1), MOST_LINES)


def _number(text: Any, otherwise: int) -> int:
    """`text` as a small number; the page made it, so anything else was tampered with and counts as `otherwise`."""
    text = str(text or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else otherwise


def _typed(form: type[CustomerForm | LineForm], data: QueryDict, prefix: str = "") -> dict[str, str]:
    return {name: data.get(f"{prefix}{name}", "") for name in form.base_fields}
