"""The hosts of tenants that are gone: nobody else gets one for a while, because links, mails and habits still lead there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.formats import date_format
from django.utils.translation import gettext

from plugin_framework.tenancy import public_scope
from tenants.models import RetiredHost


def retire(hosts: Iterable[str], schema: str) -> None:
    """Let `hosts`, which were the tenant's in `schema`, rest for TENANT_HOST_REST_DAYS; in the transaction that takes them from it."""
    rest = models.ExpressionWrapper(
        Now() + timedelta(days=settings.TENANT_HOST_REST_DAYS), output_field=models.DateTimeField()
    )
    with public_scope():
        RetiredHost.objects.filter(free_at__lte=Now()).delete()  # now and then, whoever comes by tidies up
        for host in hosts:
            RetiredHost.objects.update_or_create(host=host, defaults={"schema_name": schema, "free_at": rest})


def why_resting(host: str) -> str:
    """Why nobody can have `host` now, and from when on they can; "" if it does not rest."""
    with public_scope():
        free_at = RetiredHost.objects.filter(host=host, free_at__gt=Now()).values_list("free_at", flat=True).first()
    if free_at is None:
        return ""
    return gettext(
        "The address %(host)s was another organisation’s until recently. It is free again after %(day)s; choose another one."
    ) % {"host": host, "day": date_format(free_at, "DATE_FORMAT")}


def give_back(hosts: Iterable[str], schema: str) -> None:
    """Let whoever was in `schema` have their hosts again, while they rest; in the transaction that gives them to it."""
    with public_scope():
        RetiredHost.objects.filter(host__in=list(hosts), schema_name=schema).delete()
