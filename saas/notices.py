"""Mails of the platform itself to an organisation's admins, sent by the worker."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from plugin_framework import quotas, tenancy_directory
from plugin_framework.delivery import breaker
from plugin_framework.quotas import Kind, Level
from plugin_framework.tenancy import current_tenant, public_scope, tenant_scope
from saas.links import url_of
from saas.site.plugin_info import title_of
from saas.site.quota_info import info
from tenants.accounts.mail import sender
from tenants.accounts.models import Role, User
from tenants.models import State, Tenant


def deliveries_paused(plugin: str, trouble: str) -> None:
    """Tell the admins that what `plugin` sends does not arrive; `trouble` is the last failure, in words.

    Raises:
        OSError: the mail could not be sent; it is tried again.
    """
    if plugin not in breaker.rests():
        return  # it works again already: a late mail would only worry them
    tenant, title = current_tenant(), " ".join(title_of(plugin).split())
    link = url_of(tenant.host, reverse("settings:deliveries", args=[plugin], urlconf=settings.ROOT_URLCONF))
    subject = _("%(title)s: deliveries are paused") % {"title": title}
    _to_admins(subject, "settings/deliveries_paused.txt", title=title, trouble=trouble, link=link)


def organisation_deleted(schema: str) -> None:
    """Tell the admins of the organisation in `schema` that it was deleted, and until when it can be brought back.

    Run in the platform's own tenant: nothing is delivered for one that is deleted.

    Raises:
        OSError: the mail could not be sent; it is tried again.
    """
    tenant = _tenant(schema)
    if tenant is None or tenant.state != State.DELETING:
        return  # it has been brought back, or is gone: a late mail would only mislead them
    subject = _("%(name)s has been deleted") % {"name": " ".join(tenant.name.split())}
    _to_admins_of(schema, subject, "settings/organisation_deleted.txt", purge_at=tenant.purge_at)


def organisation_undeleted(schema: str) -> None:
    """Tell the admins of the organisation in `schema` that it is back; run in the platform's own tenant.

    Raises:
        OSError: the mail could not be sent; it is tried again.
    """
    tenant = _tenant(schema)
    if tenant is None or tenant.state == State.DELETING:
        return
    subject = _("%(name)s has been brought back") % {"name": " ".join(tenant.name.split())}
    _to_admins_of(schema, subject, "settings/organisation_undeleted.txt", suspended=tenant.state == State.SUSPENDED)


def quota_reached(kind: str, told: int) -> None:
    """Tell the admins that `told` per cent of what their plan allows are used.

    Raises:
        OSError: the mail could not be sent; it is tried again.
    """
    found = info(quotas.usage(Kind(kind)))
    if found.usage.level is Level.FINE:
        return  # somebody has made room, the day is over, or the plan is another one
    if told < quotas.due(found.usage):
        quotas.tell(found.usage)  # by now there is more to tell; that mail is on its way, or is now
        return
    link = url_of(current_tenant().host, reverse("settings:plan", urlconf=settings.ROOT_URLCONF))
    subject = _("%(what)s: the limit is reached") if found.used_up else _("%(what)s: the limit is near")
    _to_admins(subject % {"what": found.title}, "settings/quota_reached.txt", info=found, link=link)


def _tenant(schema: str) -> Tenant | None:
    with public_scope():
        found: Tenant | None = Tenant.objects.filter(schema_name=schema).first()
        return found


def _to_admins_of(schema: str, subject: str, template: str, **context: Any) -> None:
    entry = tenancy_directory.find(schema)
    if entry is not None:
        with tenant_scope(entry.ref):
            _to_admins(subject, template, link=url_of(entry.ref.host), **context)


def _to_admins(subject: str, template: str, **context: Any) -> None:
    """Mail to the admins of the current tenant, if it has any."""
    admins = User.objects.filter(role__in=(Role.OWNER, Role.ADMIN), is_active=True)
    to = list(admins.values_list("email", flat=True))
    if to:
        text = render_to_string(template, {"tenant": current_tenant(), **context})
        EmailMessage(subject, text, sender(), to).send()
