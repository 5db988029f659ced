"""Makes the demo's organisations and people; running it again makes only what is missing."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import Actor
from plugin_framework.tenancy import TenantRef, tenant_scope
from tenants import directory
from tenants.accounts.models import User
from tenants.provisioning import create_tenant, ensure_platform
from tenants.wholeness import Condition, condition

DEMO = Actor("demo")
PASSWORD = "correct-horse-battery"  # noqa: S105  # printed on the screen; the demo listens on loopback only


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the demo's servers listen, on loopback."""

    web: int

    @property
    def mail(self) -> int:
        """SMTP of the organisations' mail."""
        return self.web + 25

    @property
    def platform_mail(self) -> int:
        """SMTP of the platform's own mail."""
        return self.web + 26

    @property
    def webhooks(self) -> int:
        """HTTP of the webhook sink."""
        return self.web + 27


def seed(ports: Ports) -> None:
    """`acme` with both notification plugins and orders, `globex` with nothing, and a superadmin. Nothing in one that is damaged."""
    _person(ensure_platform(), "root@tenantry.example", "Robin Root", "owner")
    if acme := _organisation("acme", "Acme Rockets"):
        _person(acme, "ada@acme.example", "Ada Acme", "owner")
        _person(acme, "max@acme.example", "Max Member", "member")
        with tenant_scope(acme):
            _plugins(ports)
    if globex := _organisation("globex", "Globex Corporation"):
        _person(globex, "gil@globex.example", "Gil Globex", "owner")


def _organisation(slug: str, name: str) -> TenantRef | None:
    """The organisation, made if there is none; None if it is there and not whole."""
    entry = directory.by_slug(slug)
    ref = entry.ref if entry else create_tenant(slug, name, DEMO)
    return ref if condition(ref) is Condition.WHOLE else None


def _person(ref: TenantRef, email: str, name: str, role: str) -> None:
    from allauth.account.models import EmailAddress

    with tenant_scope(ref), transaction.atomic():
        if not User.objects.filter(email=email).exists():
            user = User.objects.create_user(email, PASSWORD, name=name, role=role)
            EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)


def _plugins(ports: Ports) -> None:
    """Set up only once: what somebody playing with the demo disabled or changed stays so, but for the ports."""
    mail = {
        "smtp_host": "127.0.0.1",
        "smtp_port": ports.mail,
        "tls": "none",
        "username": "acme",
        "sender": "hello@acme.example",
    }
    hook = f"http://127.0.0.1:{ports.webhooks}/acme/services/T0/B0/demo"
    _plugin("email_notifications", mail, {("password",): PASSWORD})
    _plugin("slack_notifications", {"channel": "#launches"}, {("webhook_url",): hook})
    _plugin("orders", {}, {})


def _plugin(name: str, config: dict[str, object], secrets: dict[tuple[str, ...], str]) -> None:
    if lifecycle.status(name).settings_revision == 0 and (config or secrets):
        configuration.configure(name, DEMO, config, secrets=secrets)
        lifecycle.enable(name, DEMO)
    elif not lifecycle.status(name).enabled and not config:
        lifecycle.enable(name, DEMO)
