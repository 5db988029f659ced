"""Webhooks as receivers check them: signed with a secret that nobody else has or is shown."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from plugin_framework.sdk import SecretLost, unseal
from plugin_framework.tenancy import tenant_scope
from plugins.webhooks_plugin import services
from plugins.webhooks_plugin.models import Attempt, Endpoint
from saas.testing import actions
from saas.testing.people import person
from saas.testing.receivers import WebhookServer
from tests.conftest import Tenants
from tests.integration.plugins.webhooks.endpoints import (
    Open,
    endpoint,
    happen,
    secret_of,
    verified,
)


def test_what_is_posted_is_signed_as_others_check_it(hook: WebhookServer, ada: Any) -> None:
    row = endpoint(hook, ada)
    happen("user_registered", ada)
    (post,) = hook.posts
    message = verified(post, secret_of(row))
    assert message["type"] == "user.registered"
    assert message["data"] == {"id": ada.pk, "email": "ada@acme.example", "name": ada.name}
    assert post.headers["content-type"] == "application/json"
    assert post.headers["webhook-id"].startswith("msg_")
    assert b" " not in post.raw


@pytest.mark.parametrize("header", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_what_was_tampered_with_is_refused(hook: WebhookServer, ada: Any, header: str) -> None:
    row = endpoint(hook, ada)
    happen()
    (post,) = hook.posts
    key = secret_of(row)
    other = {"webhook-id": "msg_other", "webhook-timestamp": str(int(post.headers["webhook-timestamp"]) - 1)}
    forged = other.get(header) or "v1," + base64.b64encode(b"x" * 32).decode()
    with pytest.raises(WebhookVerificationError):
        Webhook(key).verify(post.raw, {**post.headers, header: forged})
    with pytest.raises(WebhookVerificationError):
        Webhook(key).verify(post.raw.replace(b"orders", b"others"), post.headers)
    with pytest.raises(WebhookVerificationError):
        verified(post, "whsec_" + base64.b64encode(b"y" * 32).decode())


def test_a_secret_is_as_long_as_the_specification_asks_and_no_two_are_alike(hook: WebhookServer, ada: Any) -> None:
    keys = {secret_of(endpoint(hook, ada)) for _ in range(3)}
    assert len(keys) == 3
    assert all(key.startswith("whsec_") and 24 <= len(base64.b64decode(key[6:])) <= 64 for key in keys)


def test_both_secrets_verify_while_one_replaces_the_other_and_only_the_new_one_afterwards(
    hook: WebhookServer, ada: Any
) -> None:
    row = endpoint(hook, ada)
    old = secret_of(row)
    services.replace_secret(row.pk, ada)
    new = secret_of(row)
    assert new != old
    assert secret_of(row, old=True) == old
    happen()
    assert len(hook.posts[-1].headers["webhook-signature"].split(" ")) == 2
    assert verified(hook.posts[-1], old) == verified(hook.posts[-1], new)
    remaining = row.old_until - timezone.now()
    assert timedelta(hours=23) < remaining <= timedelta(hours=24)
    Endpoint.objects.update(old_until=timezone.now() - timedelta(seconds=1))
    happen()
    verified(hook.posts[-1], new)
    with pytest.raises(WebhookVerificationError):
        verified(hook.posts[-1], old)


def test_two_organisations_never_see_each_others(opened: Open, ada: Any, acme: Tenants) -> None:
    ours, theirs = opened(), opened()
    row = endpoint(ours, ada)
    with tenant_scope(acme.globex):
        actions.enable("webhooks")
        other = endpoint(theirs, person(acme.globex, "admin"))
        happen()
        assert list(Endpoint.objects.values_list("url", flat=True)) == [theirs.url]
        foreign = other.secret
    assert ours.posts == []
    assert secret_of(row)
    with pytest.raises(SecretLost):
        unseal("webhooks", "signing", foreign)


def test_secrets_are_sealed_in_the_database(hook: WebhookServer, ada: Any, acme: Tenants) -> None:
    row = endpoint(hook, ada)
    key = secret_of(row)
    assert key not in row.secret
    happen()
    with pytest.raises(AssertionError, match="is nowhere"):
        actions.assert_isolated(key, acme.acme, acme.globex)


def test_the_error_of_an_attempt_names_the_host_and_not_the_path(opened: Open, ada: Any) -> None:
    server = opened()
    endpoint(server, ada)
    server.status = 500
    server.answer = b"s3cr3t you"
    (row,) = happen()
    texts = [row.last_error, *Attempt.objects.values_list("error", flat=True)]
    assert len(texts) == 2
    assert all("500" in text and "s3cr3t" not in text for text in texts)
