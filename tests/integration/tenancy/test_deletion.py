"""A deleted tenant is not served, keeps everything, and comes back as it was while its time lasts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.db.models.functions import Now
from django.test import Client

from plugin_framework import hooks, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.models import AuditEntry, Delivery
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from plugin_framework.tenancy_directory import platform
from saas.testing.people import person
from tenants import deletion, operations
from tenants.models import State, Tenant
from tests.conftest import Tenants
from tests.support.queue import work_off


def the(slug: str = "acme") -> Tenant:
    with public_scope():
        found: Tenant = Tenant.objects.get(slug=slug)
        return found


def let_its_time_pass(slug: str = "acme") -> None:
    with public_scope():
        Tenant.objects.filter(slug=slug).update(purge_at=Now() - timedelta(seconds=1))


def test_who_is_signed_in_gets_the_page_of_a_deleted_tenant_and_their_session_back_with_it(
    tenants: Tenants, client_for: Callable[..., Client]
) -> None:
    member = client_for(tenants.acme, person(tenants.acme, "member"))
    deletion.delete("acme", SYSTEM, confirmation="acme")
    for path in ("/", "/settings/plugins/", "/accounts/login/", "/apps/orders/"):
        assert member.get(path).status_code == 410
    assert client_for(tenants.globex).get("/accounts/login/").status_code == 200
    assert deletion.undelete("acme", SYSTEM) == State.ACTIVE
    assert member.get("/").status_code == 200


def test_it_has_the_days_that_the_setting_gives_and_deleting_it_again_gives_no_more(tenants: Tenants) -> None:
    before = deletion.now()
    until = deletion.delete("acme", SYSTEM, confirmation=" acme ")
    assert timedelta(days=30) <= until - before < timedelta(days=30, minutes=5)
    assert deletion.delete("acme", SYSTEM, confirmation="acme") == until == the().purge_at


def test_what_was_suspended_is_suspended_again_with_its_message(tenants: Tenants) -> None:
    operations.suspend("acme", "Unpaid since spring.", SYSTEM)
    deletion.delete("acme", SYSTEM, confirmation="acme")
    assert "Unpaid" not in Client().get("/", headers={"host": tenants.acme.host}).text
    assert deletion.undelete("acme", SYSTEM) == State.SUSPENDED
    assert "Unpaid since spring." in Client().get("/", headers={"host": tenants.acme.host}).text
    assert (the().state_before, the().purge_at) == ("", None)


@pytest.mark.parametrize(
    ("slug", "confirmation", "sentence"),
    [("admin", "admin", "platform’s own"), ("acme", "globex", "Type its short name, acme"), ("acme", "", "Type")],
)
def test_the_platform_and_what_was_typed_wrong_is_refused(
    tenants: Tenants, slug: str, confirmation: str, sentence: str
) -> None:
    with pytest.raises(operations.NotPossible, match=sentence):
        deletion.delete(slug, SYSTEM, confirmation=confirmation)
    assert the().state == State.ACTIVE
    assert Client().get("/accounts/login/", headers={"host": "admin.localhost"}).status_code == 200


def test_one_that_is_still_being_set_up_is_not_deleted_and_one_that_nobody_knows_neither(tenants: Tenants) -> None:
    with public_scope():
        Tenant.objects.filter(slug="acme").update(state=State.PROVISIONING)
    with pytest.raises(operations.NotPossible, match="being set up"):
        deletion.delete("acme", SYSTEM, confirmation="acme")
    with pytest.raises(operations.NoSuchTenant):
        deletion.delete("nobody", SYSTEM, confirmation="nobody")


def test_when_its_time_is_over_it_cannot_be_brought_back_any_more(tenants: Tenants) -> None:
    with pytest.raises(operations.NotPossible, match="nothing to bring back"):
        deletion.undelete("acme", SYSTEM)
    deletion.delete("acme", SYSTEM, confirmation="acme")
    let_its_time_pass()
    with pytest.raises(operations.NotPossible, match="is over"):
        deletion.undelete("acme", SYSTEM)
    assert the().state == State.DELETING


def test_both_sides_audit_it(tenants: Tenants) -> None:
    deletion.delete("acme", SYSTEM, confirmation="acme")
    deletion.undelete("acme", SYSTEM)
    own = platform()
    assert own is not None
    for ref in (tenants.acme, own.ref):
        with tenant_scope(ref):
            rows = AuditEntry.objects.filter(action__in=["tenant.deleted", "tenant.undeleted"]).order_by("pk")
            assert list(rows.values_list("action", "target")) == [
                ("tenant.deleted", "acme"),
                ("tenant.undeleted", "acme"),
            ]


@pytest.fixture
def busy(committed_db: str, tenants: Tenants) -> TenantRef:
    """acme, with somebody of each role, and an event that waits for a plugin."""
    people = [person(tenants.acme, role) for role in ("owner", "admin", "member")]
    with tenant_scope(tenants.acme):
        lifecycle.enable("webhooks", SYSTEM)
        hooks.emit("user_registered", people[0])
    return tenants.acme


def waiting(ref: TenantRef) -> set[str]:
    with tenant_scope(ref):
        return set(Delivery.objects.filter(state="due").values_list("hook", flat=True))


def test_deliveries_wait_while_it_is_deleted_and_go_out_when_it_is_back(busy: TenantRef) -> None:
    deletion.delete("acme", SYSTEM, confirmation="acme")
    work_off()
    assert "user_registered" in waiting(busy)
    deletion.undelete("acme", SYSTEM)
    work_off()
    assert waiting(busy) == set()


def test_its_admins_are_told_by_mail_of_both_and_nobody_else(busy: TenantRef) -> None:
    until = deletion.delete("acme", SYSTEM, confirmation="acme")
    work_off()
    (deleted,) = mail.outbox
    assert sorted(deleted.to) == ["admin@acme.example", "owner@acme.example"]
    assert (deleted.subject, f"{until:%Y, %H:%M}" in deleted.body) == ("Acme has been deleted", True)
    deletion.undelete("acme", SYSTEM)
    work_off()
    assert [message.subject for message in mail.outbox[1:]] == ["Acme has been brought back"]


def test_nobody_is_told_late_that_it_is_deleted_when_it_is_back_already(busy: TenantRef) -> None:
    deletion.delete("acme", SYSTEM, confirmation="acme")
    deletion.undelete("acme", SYSTEM)
    work_off()
    assert [message.subject for message in mail.outbox] == ["Acme has been brought back"]
