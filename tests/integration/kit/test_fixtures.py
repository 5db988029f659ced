"""The fixtures for plugin authors do what their documentation says, and the checks among them can fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from plugin_framework import lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.models import PluginSetting
from plugin_framework.tenancy import TenantRef, current_tenant, public_scope, tenant_scope
from saas.testing.people import person
from saas.testing.plugin import EnabledPlugin
from saas.testing.receivers import MailServer, WebhookServer
from tenants.models import Tenant

SLACK, MAIL = "slack_notifications", "email_notifications"


@pytest.fixture
def slack(enabled_plugin: EnabledPlugin, received_http: WebhookServer) -> Any:
    """Slack, posting to the test's own server."""
    return enabled_plugin({"webhook_url": received_http.url, "channel": "#canary"}, name=SLACK)


def test_the_test_runs_inside_the_tenant_and_the_other_one_has_nothing(
    tenant: TenantRef, other_tenant: TenantRef
) -> None:
    assert current_tenant() == tenant
    assert other_tenant.schema != tenant.schema
    assert not any(each.enabled for each in lifecycle.statuses())


def test_an_event_is_delivered_over_real_http(
    slack: Any, tenant: TenantRef, emit: Callable[..., Any], received_http: WebhookServer
) -> None:
    (delivery,) = emit("user_registered", person(tenant, "member"))
    assert (delivery.plugin, delivery.state, delivery.attempts) == (SLACK, "done", 1)
    assert received_http.posts[0].body["channel"] == "#canary"


def test_a_failing_delivery_says_that_it_will_be_tried_again(
    slack: Any, tenant: TenantRef, emit: Callable[..., Any], received_http: WebhookServer
) -> None:
    received_http.status = 503
    (delivery,) = emit("user_registered", person(tenant, "member"))
    assert delivery.state == "due"
    assert "503" in delivery.last_error


def test_a_mail_is_sent_over_real_smtp(
    tenant: TenantRef, enabled_plugin: EnabledPlugin, emit: Callable[..., Any], sent_mail: MailServer
) -> None:
    config = {"smtp_host": sent_mail.host, "smtp_port": sent_mail.port, "tls": "none", "sender": "a@acme.example"}
    enabled_plugin({**config, "username": sent_mail.user, "password": sent_mail.password}, name=MAIL)
    emit("user_registered", person(tenant, "member", "ada@acme.example"))
    assert [mail.recipients for mail in sent_mail.mails] == [["ada@acme.example"]]


def test_only_what_the_event_made_is_given(slack: Any, tenant: TenantRef, emit: Callable[..., Any]) -> None:
    first = emit("user_registered", person(tenant, "member", "one@acme.example"))
    second = emit("user_registered", person(tenant, "member", "two@acme.example"))
    assert [len(first), len(second)] == [1, 1]
    assert first[0].pk != second[0].pk


def test_a_plugin_that_is_absent_or_does_not_run_fails_the_test_with_the_reason(enabled_plugin: EnabledPlugin) -> None:
    for name, why in (("", "Say which plugin"), ("absent", "pip install -e"), (MAIL, "does not run")):
        with pytest.raises(pytest.fail.Exception, match=why):
            enabled_plugin(name=name)


def test_a_canary_in_one_tenant_alone_is_isolated(slack: Any, assert_isolated: Callable[[str], None]) -> None:
    assert_isolated("#canary")


def test_a_canary_that_is_nowhere_is_no_proof(slack: Any, assert_isolated: Callable[[str], None]) -> None:
    with pytest.raises(AssertionError, match="'#parrot' is nowhere in acme"):
        assert_isolated("#parrot")


def test_a_canary_in_the_other_tenant_is_found(
    slack: Any, other_tenant: TenantRef, assert_isolated: Callable[[str], None]
) -> None:
    with tenant_scope(other_tenant):
        PluginSetting.objects.create(plugin_name="any", key="any", value={"deep": ["#canary"]})
    with pytest.raises(AssertionError, match="'#canary' of acme is in globex: plugin_framework_pluginsetting"):
        assert_isolated("#canary")


def test_a_canary_in_what_all_share_is_found(slack: Any, assert_isolated: Callable[[str], None]) -> None:
    with public_scope():
        Tenant.objects.filter(slug="globex").update(name="#canary")
    with pytest.raises(AssertionError, match="is in the shared schema: tenants_tenant"):
        assert_isolated("#canary")


@pytest.mark.parametrize("turn", [1, 2])
def test_what_one_test_writes_is_gone_in_the_next(turn: int, tenant: TenantRef) -> None:
    assert lifecycle.enable("orders", SYSTEM) == ["orders"]
