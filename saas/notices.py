"""Mails of the platform itself to an organisation's admins, sent by the worker: to each in their own language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, mailers
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from plugin_framework import languages, quotas, tenancy_directory
from plugin_framework.delivery import breaker
from plugin_framework.quotas import Kind, Level
from plugin_framework.sdk._words import reread
from plugin_framework.tenancy import current_tenant, public_scope, tenant_scope
from saas.links import url_of
from saas.site.plugin_info import title_of
from saas.site.quota_info import info
from tenants.accounts.mail import sender
from tenants.accounts.models import Role, User
from tenants.models import State, Tenant

type Words = tuple[str, dict[str, Any]]  # a subject, and what is filled into the text


def deliveries_paused(plugin: str, trouble: str) -> None:
    """Tell the admins that what `plugin` sends does not arrive; `trouble` is the last failure, in words.

    Raises:
        OSError: the mail could not be sent; it is tried again.
    """
    if plugin not in breaker.rests():
        return  # it works again already: a late mail would only worry them
    link = url_of(current_tenant().host, reverse("settings:deliveries", args=[plugin], urlconf=settings.ROOT_URLCONF))

    def words() -> Words:
        title = " ".join(title_of(plugin).split())
        subject = _("%(title)s: deliveries are paused") % {"title": title}
        return subject, {"title": title, "trouble": reread(trouble), "link": link}

    _to_admins("settings/deliveries_paused.txt", words)


def organisation_deleted(schema: str) -> None:
    """Tell the admins of the organisation in `schema` that it was deleted, and until when it can be brought back.

    Run in the platform's own tenant: nothing is delivered for one that is deleted.

    Raises:
        OSError: the mail could not be sent; it is tried again.
    """
    tenant = _tenant(schema)
    if tenant is None or tenant.state != State.DELETING:
        return  # it has been brought back, or is gone: a late mail would only mislead them
    name, purge_at = " ".join(tenant.name.split()), tenant.purge_at
    _to_admins_of(
        schema,
        "settings/organisation_deleted.txt",
        lambda: (_("%(name)s has been deleted") % {"name": name}, {"purge_at": purge_at}),
    )


def organisation_undeleted(schema: str) -> None:
    """Tell the admins of the organisation in `schema` that it is back; run in the platform's own tenant.

    Raises:
        OSError: the mail could not be sent; it is tried again.
    """
    tenant = _tenant(schema)
    if tenant is None or tenant.state == State.DELETING:
        return
    name, suspended = " ".join(tenant.name.split()), tenant.state == State.SUSPENDED
    _to_admins_of(
        schema,
        "settings/organisation_undeleted.txt",
        lambda: (_("%(name)s has been brought back") % {"name": name}, {"suspended": suspended}),
    )


def quota_reached(kind: str, told: int) -> None:
    """Tell the admins that `told` per cent of what their plan allows are used.

    Raises:
        OSError: the mail could not be sent; it is tried again.
    """
    usage = quotas.usage(Kind(kind))
    if usage.level is Level.FINE:
        return  # somebody has made room, the day is over, or the plan is another one
    if told < quotas.due(usage):
        quotas.tell(usage)  # by now there is more to tell; that mail is on its way, or is now
        return
    link = url_of(current_tenant().host, reverse("settings:plan", urlconf=settings.ROOT_URLCONF))

    def words() -> Words:
        found = info(usage)
        subject = _("%(what)s: the limit is reached") if found.used_up else _("%(what)s: the limit is near")
        return subject % {"what": found.title}, {"info": found, "link": link}

    _to_admins("settings/quota_reached.txt", words)


def _tenant(schema: str) -> Tenant | None:
    with public_scope():
        found: Tenant | None = Tenant.objects.filter(schema_name=schema).first()
        return found


def _to_admins_of(schema: str, template: str, words: Callable[[], Words]) -> None:
    entry = tenancy_directory.find(schema)
    if entry is not None:
        with tenant_scope(entry.ref):
            _to_admins(template, words, link=url_of(entry.ref.host))


def _to_admins(template: str, words: Callable[[], Words], **context: Any) -> None:
    """Mail to the admins of the current tenant, if it has any: one mail to all who speak the same language.

    Args:
        words: gives the subject and what the template needs besides; called once in each language.
    """
    by_language: dict[str, list[str]] = {}
    for admin in User.objects.filter(role__in=(Role.OWNER, Role.ADMIN), is_active=True):
        by_language.setdefault(languages.of(admin), []).append(admin.email)
    mails = []
    for language, to in by_language.items():
        with override(language):
            subject, said = words()
            text = render_to_string(template, {"tenant": current_tenant(), **context, **said})
            mails.append(EmailMessage(subject, text, sender(), to))
    if mails:
        mailers.default.send_messages(mails)  # on one connection: a server that does not answer gets none of them
