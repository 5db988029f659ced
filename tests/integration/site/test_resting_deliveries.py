"""An admin reads why a plugin's deliveries rest, tries at once, and pauses and resumes them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.delivery import breaker
from plugin_framework.delivery.models import Lane
from plugin_framework.models import Delivery
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from tests.conftest import Tenants
from tests.support.deliveries import deliveries

pytestmark = pytest.mark.usefixtures("plugins")
PAGE, LIST = "/settings/plugins/pager/", "/settings/plugins/pager/deliveries/"


@pytest.fixture
def acme(tenants: Tenants) -> TenantRef:
    with tenant_scope(tenants.acme):
        configuration.configure("pager", SYSTEM, {"gateway": "gate.example"})
        lifecycle.enable("pager", SYSTEM)
    return tenants.acme


def _break(tenant: TenantRef) -> None:
    now = timezone.now()
    with public_scope():
        Lane.objects.create(
            tenant_schema=tenant.schema,
            plugin="pager",
            open_since=now,
            opened=1,
            paused_until=now,
            trouble="It said <no>.",
        )


def _paused_by(tenant: TenantRef) -> dict[str, str]:
    with tenant_scope(tenant):
        return {name: rest.paused_by for name, rest in breaker.rests().items()}


def test_an_open_breaker_is_told_on_the_list_the_plugins_page_and_its_deliveries(
    admin: Client, acme: TenantRef
) -> None:
    _break(acme)
    for page in (PAGE, LIST):
        text = admin.get(page).content.decode()
        assert "It said &lt;no&gt;." in text
        assert "Try now" in text
    shown = admin.get("/settings/plugins/?state=attention").content.decode()
    assert "Its deliveries do not arrive" in shown
    assert "Pager" in shown


def test_another_organisation_sees_nothing_of_it(
    stranger: Client, admin: Client, tenants: Tenants, acme: TenantRef
) -> None:
    _break(tenants.globex)
    assert "Try now" not in admin.get(PAGE).content.decode()


def test_pausing_and_resuming_are_buttons_and_each_says_what_it_did(admin: Client, acme: TenantRef) -> None:
    assert "Pause deliveries" in admin.get(LIST).content.decode()
    paused = admin.post(f"{LIST}pause/", follow=True).content.decode()
    assert "Deliveries of Pager are paused. What happens meanwhile is kept." in paused
    assert "Resume deliveries" in paused
    assert "Pause deliveries" not in paused
    assert list(_paused_by(acme)) == ["pager"]
    resumed = admin.post(f"{LIST}resume/", follow=True).content.decode()
    assert "Deliveries of Pager are resumed" in resumed
    assert _paused_by(acme) == {}


def test_trying_now_tries_the_first_few_although_their_time_has_not_come(admin: Client, acme: TenantRef) -> None:
    _break(acme)
    rows = [
        deliveries(acme, "retrying", next_at=timezone.now() + timedelta(hours=hours), attempts=4)[0]
        for hours in (5, 2, 3, 4, 1)
    ]
    (running,) = deliveries(acme, "running", next_at=timezone.now() + timedelta(minutes=1))
    before = timezone.now()
    admin.post(f"{LIST}resume/")
    with tenant_scope(acme):
        tried = Delivery.objects.filter(next_at__gte=before, next_at__lte=timezone.now())
        assert set(tried.values_list("pk", "attempts_before")) == {(rows[number].pk, 4) for number in (4, 1, 2)}
        assert Delivery.objects.get(pk=running.pk).next_at == running.next_at


def test_nothing_is_paused_for_a_plugin_that_is_not_enabled(admin: Client, tenants: Tenants) -> None:
    text = admin.post(f"{LIST}pause/", follow=True).content.decode()
    assert "is not enabled" in text
    assert _paused_by(tenants.acme) == {}


def test_members_and_strangers_can_do_neither(
    member: Client, stranger: Client, anonymous: Client, acme: TenantRef
) -> None:
    for client in (member, stranger, anonymous):
        for action in ("pause", "resume"):
            assert client.post(f"{LIST}{action}/").status_code in (302, 403)
    assert _paused_by(acme) == {}


def test_the_commands_do_the_same(acme: TenantRef, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("plugins", "pause", "--plugin", "pager", "--tenant", "acme")
    assert _paused_by(acme) == {"pager": "command line"}
    with pytest.raises(CommandError):
        call_command("plugins", "doctor", "--tenant", "acme")
    assert "paused by command line" in capsys.readouterr().out
    call_command("plugins", "resume", "--plugin", "pager", "--tenant", "acme")
    assert _paused_by(acme) == {}
    with pytest.raises(CommandError, match="not enabled"):
        call_command("plugins", "pause", "--plugin", "invoices", "--tenant", "acme")
