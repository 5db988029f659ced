"""Invoices, their lines, and the series their numbers come from. Only `services` writes them."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext

from plugin_framework.sdk import PluginModel


class NumberSeries(models.Model):
    """The last number that was given to an invoice. One row; whoever wants a number locks it until their transaction ends."""

    last = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "number series"

    def __str__(self) -> str:
        return f"Invoice numbers up to {self.last}"


class Invoice(PluginModel):
    """What one confirmed order costs, as it was when the invoice was made; later only its payment is noted.

    It does not refer to the order's row: that belongs to another plugin, and may change or go while an invoice stays.
    """

    plugin_name = models.CharField(max_length=100, default="invoices", editable=False)
    number = models.PositiveBigIntegerField(unique=True)
    label = models.CharField(max_length=40)  # the number as it is printed, with the prefix of that day
    order_number = models.BigIntegerField()
    order_confirmed_at = models.DateTimeField()
    customer_name = models.TextField()
    customer_email = models.TextField(blank=True, default="")
    currency = models.CharField(max_length=3)
    total = models.DecimalField(max_digits=20, decimal_places=2)  # the sum of the lines, tax included
    tax = models.DecimalField(max_digits=20, decimal_places=2)
    tax_rate = models.DecimalField(max_digits=5, decimal_places=2)  # percent; 0: no tax is shown
    tax_name = models.CharField(max_length=40)
    seller_name = models.CharField(max_length=200)
    seller_address = models.TextField()
    seller_tax_id = models.CharField(max_length=100, blank=True, default="")
    footer = models.TextField(blank=True, default="")
    issued_on = models.DateField()
    due_on = models.DateField()
    paid_on = models.DateField(null=True, blank=True)
    paid_noted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-number"]
        constraints = [
            # With the time: an orders plugin that was purged and enabled again counts from 1 anew.
            models.UniqueConstraint(fields=["order_number", "order_confirmed_at"], name="invoices_one_per_order"),
        ]
        indexes = [models.Index(fields=["due_on"], condition=models.Q(paid_on=None), name="invoices_unpaid")]

    def __str__(self) -> str:
        return gettext("Invoice %(label)s") % {"label": self.label}

    @property
    def net(self) -> Decimal:
        """The total without its tax."""
        return self.total - self.tax

    @property
    def rate(self) -> str:
        """The tax's rate as people write it: ``19``, ``8.25``, ``8,25``. Never rounded: the amount was worked out with all of it."""
        return number_format(f"{self.tax_rate.normalize():f}")

    @property
    def state(self) -> str:
        """``paid``, ``overdue`` or ``open``."""
        if self.paid_on is not None:
            return "paid"
        return "overdue" if self.due_on < timezone.localdate() else "open"


class InvoiceLine(models.Model):
    """One line of an order, copied."""

    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    description = models.TextField()
    quantity = models.PositiveBigIntegerField()
    unit_price = models.DecimalField(max_digits=20, decimal_places=2)
    amount = models.DecimalField(max_digits=20, decimal_places=2)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["invoice", "position"], name="invoices_line_position")]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.description}"
