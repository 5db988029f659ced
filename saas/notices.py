"""Mails of the platform itself to an organisation's admins, sent by the worker."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from plugin_framework.delivery import breaker
from plugin_framework.tenancy import current_tenant
from saas.links import url_of
from saas.site.plugin_info import title_of
from tenants.accounts.mail import sender
from tenants.accounts.models import Role, User


def deliveries_paused(plugin: str, trouble: str) -> None:
    """Tell the admins that what `plugin` sends does not arrive; `trouble` is the last failure, in words.

    Raises:
        OSError: the mail could not be sent; it is tried again.
    """
    if plugin not in breaker.rests():
        return  # it works again already: a late mail would only worry them
    admins = User.objects.filter(role__in=(Role.OWNER, Role.ADMIN), is_active=True)
    to = list(admins.values_list("email", flat=True))
    if not to:
        return
    tenant, title = current_tenant(), " ".join(title_of(plugin).split())
    link = url_of(tenant.host, reverse("settings:deliveries", args=[plugin], urlconf=settings.ROOT_URLCONF))
    text = render_to_string(
        "settings/deliveries_paused.txt", {"tenant": tenant, "title": title, "trouble": trouble, "link": link}
    )
    EmailMessage(_("%(title)s: deliveries are paused") % {"title": title}, text, sender(), to).send()
