"""Fixtures of the built-in plugins' tests: receivers, and plugins switched on in `acme` alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from pytest_django import Settings

from plugin_framework import activation, configuration, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.delivery.context import CurrentDelivery, entered
from plugin_framework.tenancy import tenant_scope
from saas.testing.receivers import PASSWORD, MailServer, WebhookServer, mail_server, webhook_server
from tenants.accounts.models import User
from tests.conftest import Tenants

KEY = UUID("5f0c7a52-7a6c-4f0e-9d0e-5a8e2f1f0c11")


@pytest.fixture(autouse=True)
def loopback(settings: Settings) -> None:
    """The receivers listen on this machine."""
    settings.PLUGIN_ALLOW_LOOPBACK = True


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as found:
        yield found


@pytest.fixture
def hook() -> Iterator[WebhookServer]:
    with webhook_server() as found:
        yield found


@pytest.fixture
def acme(tenants: Tenants) -> Iterator[Tenants]:
    """The test works inside `acme`."""
    with tenant_scope(tenants.acme):
        yield tenants


@pytest.fixture
def switch_on() -> Callable[..., Any]:
    """`switch_on(name, config, **secrets)`: the running plugin, as the current tenant has it now."""

    def run(name: str, config: dict[str, Any] | None = None, **secrets: str) -> Any:
        configuration.configure(name, SYSTEM, config or {}, secrets={(key,): value for key, value in secrets.items()})
        lifecycle.enable(name, SYSTEM)
        decision = activation.current().decision(name)
        assert decision.runs, decision.text
        return activation.current().plugins[name]

    return run


@pytest.fixture
def email_on(switch_on: Callable[..., Any], mail: MailServer) -> Callable[..., Any]:
    """`email_on(**more)`: the e-mail plugin, sending through the test's own server."""

    def run(**more: Any) -> Any:
        config = {**mail.settings, "sender": "hello@acme.example", **more}
        return switch_on("email_notifications", config, password=PASSWORD)

    return run


@pytest.fixture
def slack_on(switch_on: Callable[..., Any], hook: WebhookServer) -> Callable[..., Any]:
    """`slack_on(**more)`: the Slack plugin, posting to the test's own server."""
    return lambda **more: switch_on("slack_notifications", more, webhook_url=hook.url)


@pytest.fixture
def ada() -> Callable[..., User]:
    """`ada()`: a person of the current tenant."""
    return lambda email="ada@acme.example", name="Ada", role="member": User.objects.create_user(
        email, "for-tests-only-1", name=name, role=role
    )


@pytest.fixture
def delivering() -> Iterator[CurrentDelivery]:
    """A delivery is running, as in the worker."""
    current = CurrentDelivery(1, KEY, "any", "any", str(KEY), 1)
    entered(current)
    yield current
    entered(None)
