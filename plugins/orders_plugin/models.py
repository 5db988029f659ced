"""Orders and their lines. Only `services` changes them."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from plugin_framework.sdk import PluginModel
from plugins.orders_plugin.currencies import CURRENCIES, DEFAULT_CURRENCY


class OrderState(models.TextChoices):
    """Where an order stands. Only a draft can be changed; nothing leads back to a draft."""

    DRAFT = "draft", _("Draft")
    CONFIRMED = "confirmed", _("Confirmed")
    CANCELLED = "cancelled", _("Cancelled")


class Order(PluginModel):
    """What one customer ordered."""

    plugin_name = models.CharField(max_length=100, default="orders", editable=False)
    customer_name = models.CharField(max_length=200)
    customer_email = models.EmailField()
    currency = models.CharField(max_length=3, choices=[(code, code) for code in CURRENCIES], default=DEFAULT_CURRENCY)
    total = models.DecimalField(max_digits=20, decimal_places=2, default=Decimal("0.00"))  # the sum of the lines
    state = models.CharField(max_length=10, choices=OrderState, default=OrderState.DRAFT)
    note = models.TextField(max_length=2000, blank=True, default="")
    revision = models.PositiveIntegerField(
        default=1
    )  # counts changes, so that nobody overwrites what they have not seen
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["state", "-id"], name="orders_state")]

    def __str__(self) -> str:
        return gettext("Order %(number)s") % {"number": self.pk}

    @property
    def is_draft(self) -> bool:
        """Whether it can still be changed and confirmed."""
        return self.state == OrderState.DRAFT

    @property
    def is_cancelled(self) -> bool:
        """Whether it is over."""
        return self.state == OrderState.CANCELLED


class OrderLine(models.Model):
    """One thing in an order, and how many of it."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    description = models.CharField(max_length=200)
    quantity = models.PositiveIntegerField(validators=[MinValueValidator(1), MaxValueValidator(99_999)])
    unit_price = models.DecimalField(max_digits=10, decimal_places=2, validators=[MinValueValidator(Decimal("0.00"))])

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["order", "position"], name="orders_line_position")]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.description}"

    @property
    def amount(self) -> Decimal:
        """What the line costs."""
        return self.quantity * self.unit_price
