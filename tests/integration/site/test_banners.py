"""What plugins show above every page: to people who are signed in, escaped, and never at the page's expense."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.tenancy import tenant_scope
from saas.testing.people import person
from tests.conftest import Tenants

pytestmark = pytest.mark.usefixtures("shown")
BANNER = 'id="banner-rota-turn"'
HTMX = "htmx-2.min"


@pytest.fixture
def shown(plugins: None, tenants: Tenants) -> None:
    """acme runs a plugin with banners, and one whose banners fail."""
    with tenant_scope(tenants.acme):
        configuration.configure("pager", SYSTEM, {"gateway": "gate.example"})
        for name in ("clumsy", "rota"):
            lifecycle.enable(name, SYSTEM)


def text_of(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return answer.content.decode()


@pytest.mark.parametrize(
    ("path", "status"), [("/", 200), ("/accounts/email/", 200), ("/nowhere/", 404), ("/settings/people/", 403)]
)
def test_a_member_sees_them_above_the_content_of_every_page(member: Client, path: str, status: int) -> None:
    text = text_of(member, path, status)
    assert "It is the turn of Grace." in text
    assert text.index('id="main"') < text.index(BANNER) < text.index("<h1")
    assert HTMX in text


def test_nobody_sees_them_without_signing_in_and_nobody_next_door(
    anonymous: Client, stranger: Client, tenants: Tenants, client_for: Any
) -> None:
    owner = client_for(tenants.globex, person(tenants.globex, "owner", "second@globex.example"))
    visitor, staff = client_for(), anonymous
    for client, path in ((staff, "/accounts/login/"), (stranger, "/accounts/login/"), (owner, "/"), (visitor, "/")):
        text = text_of(client, path)
        assert 'class="banners"' not in text
        assert HTMX not in text


def test_a_plugin_whose_banners_fail_is_logged_and_costs_its_own_alone(
    member: Client, caplog: pytest.LogCaptureFixture
) -> None:
    text = text_of(member, "/")
    assert "Half a banner" not in text
    assert BANNER in text
    assert "The banners of clumsy could not be made" in caplog.text


def test_everything_in_them_is_escaped_even_what_claims_to_be_safe(member: Client) -> None:
    (section,) = re.findall(r'<section class="banners".*?</section>', text_of(member, "/"), re.DOTALL)
    assert "<script" not in section
    assert "<i>" not in section
    assert section.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 4  # title, text, link, and the button's name
    assert "<br>It is the turn of Grace." in section
    assert 'href="/?a=1&amp;b=&lt;i&gt;"' in section


def test_a_plugin_shows_five_at_most(member: Client) -> None:
    text = text_of(member, "/")
    assert [f"Shift {number}" in text for number in range(2, 8)] == [True] * 4 + [False] * 2


def test_the_button_knows_the_way_back_to_this_page_with_its_query(member: Client) -> None:
    text = text_of(member, "/?a=1&b=%22%3E%3Ci%3E")
    assert '<form method="post" action="/apps/rota/seen/" hx-post="/apps/rota/seen/"' in text
    assert '<input type="hidden" name="next" value="/?a=1&amp;b=%22%3E%3Ci%3E">' in text


def test_an_answer_to_a_form_has_no_button_that_would_lose_what_was_typed(admin: Client) -> None:
    answer = admin.post("/settings/people/invite/", {"email": "nonsense", "role": "member"})
    text = answer.content.decode()
    assert (answer.status_code, 'value="nonsense"' in text, BANNER in text) == (400, True, True)
    assert "/apps/rota/seen/" not in text
