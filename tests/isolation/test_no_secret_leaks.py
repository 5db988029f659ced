"""A tenant's secrets are planted through the real form, then everything is done to them: they appear nowhere but sealed.

One busy life is lived once for the whole module, and each test looks at another kind of place.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.test import override_settings

from plugin_framework import activation
from plugin_framework.tenancy import tenant_scope
from saas.testing import databases
from saas.testing.receivers import mail_server, webhook_server
from tests.dummies.indiscreet import Indiscreet
from tests.dummies.pages import installed
from tests.support.canaries import dump
from tests.support.life_with_secrets import CHAPTERS
from tests.support.planted_secrets import SECRET_FIELDS, SLACK, Life, begin, everything_logged, plant

pytestmark = pytest.mark.xdist_group("secrets")  # one life is lived for all of them

URLS = "tests.dummies.indiscreet"  # an organisation's own addresses, and one that fails


@pytest.fixture(scope="module")
def life(template_database: str, django_db_blocker: Any) -> Iterator[Life]:
    """The whole of it, lived."""
    name = f"test_leaks_{os.getpid()}"
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        databases.clone(template_database, name)
        stack.callback(databases.drop, name)
        stack.enter_context(databases.using(name))
        stack.enter_context(installed(Indiscreet))
        stack.enter_context(override_settings(ROOT_URLCONF=URLS, PLUGIN_ALLOW_LOOPBACK=True, ADMINS=["a@x.example"]))
        mail, hook = stack.enter_context(mail_server()), stack.enter_context(webhook_server())
        with everything_logged() as logs:
            lived = begin(mail, hook, logs)
            for chapter in (plant, *CHAPTERS):
                chapter(lived)
        yield lived


def test_no_response_holds_a_secret(life: Life) -> None:
    assert life.search(life.responses) == []
    assert {(f"/settings/plugins/{name}/", 200) for name in SECRET_FIELDS} <= life.statuses
    assert {(f"/settings/plugins/{name}/history/", 200) for name in SECRET_FIELDS} <= life.statuses
    assert {(f"/catalog/{name}/settings/", 200) for name in SECRET_FIELDS} <= life.statuses


def test_no_log_line_and_no_report_of_an_error_holds_a_secret(life: Life) -> None:
    assert life.search(("log", line) for line in life.logs.lines) == []
    assert "cannot sign in" in life.logs.text()


def test_nothing_a_command_prints_holds_a_secret(life: Life) -> None:
    assert life.search(life.printed) == []
    assert any("password" in text for _, text in life.printed)


def test_no_row_of_any_table_holds_a_secret(life: Life) -> None:
    rows = dict(dump())
    assert life.search(rows.items()) == []
    assert any("cannot sign in" in text for text in rows.values())


def test_nothing_but_the_password_and_the_address_itself_goes_out(life: Life) -> None:
    mails = [
        (str(mail.recipients), f"{mail.raw.decode()}\n{mail.part('plain')}\n{mail.part('html')}")
        for mail in life.mail.mails
    ]
    posts = [(post.path, f"{post.headers} {post.body}") for post in life.hook.posts]
    assert life.search(mails) == []
    assert life.search((name, text) for name, text in posts) == []
    assert any(life.saved[SLACK].core in path for path, _ in posts)


def test_what_is_stored_opens_to_the_secrets_that_were_planted(life: Life) -> None:
    with tenant_scope(life.acme):
        running = activation.current().plugins
        stored = {name: str(running[name].settings[key]) for name, key in SECRET_FIELDS.items()}
    assert stored == {name: life.secret(name) for name in SECRET_FIELDS}
