"""People read the pages in their language, and dates as it writes them."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone, translation

from tests.conftest import Tenants


@pytest.mark.parametrize(
    ("asked", "lang", "heading"),
    [
        ("", "en", "Sign your organisation up"),
        ("de-AT,de;q=0.9,en;q=0.5", "de", "Ihre Organisation registrieren"),
        ("fr,en;q=0.5", "en", "Sign your organisation up"),
        ("\x00;;q=x", "en", "Sign your organisation up"),
    ],
)
def test_a_page_is_in_the_language_that_the_browser_asks_for(
    client_for: Callable[..., Client], asked: str, lang: str, heading: str
) -> None:
    answer = client_for().get("/signup/", headers={"accept-language": asked})
    page = answer.content.decode()
    assert (f'<html lang="{lang}"' in page, heading in page) == (True, True)
    assert "Accept-Language" in answer["Vary"]


def test_what_somebody_chooses_in_a_browser_stays_there_whatever_it_asks_for(
    tenants: Tenants, client_for: Callable[..., Client]
) -> None:
    visitor = client_for(tenants.acme)
    assert '<option value="de" lang="de">Deutsch</option>' in visitor.get("/register/").content.decode()
    answer = visitor.post("/language/", {"language": "de", "next": "/register/?from=x"})
    assert (answer.status_code, answer["Location"]) == (302, "/register/?from=x")
    page = visitor.get("/register/", headers={"accept-language": "en"}).content.decode()
    assert '<html lang="de"' in page
    assert '<option value="de" lang="de" selected>Deutsch</option>' in page


@pytest.mark.parametrize(
    ("sent", "leads"),
    [
        ({}, "/"),
        ({"language": "xx", "next": "/register/"}, "/register/"),
        ({"language": "de", "next": "https://evil.example/"}, "/"),
        ({"language": "de", "next": "//evil.example/"}, "/"),
    ],
)
def test_the_choice_leads_nowhere_else_and_takes_no_other_language(
    tenants: Tenants, client_for: Callable[..., Client], sent: dict[str, str], leads: str
) -> None:
    visitor = client_for(tenants.acme)
    answer = visitor.post("/language/", sent)
    assert (answer.status_code, answer["Location"]) == (302, leads)
    assert visitor.get("/language/").status_code == 405
    page = visitor.get("/register/").content.decode()
    assert (f'<html lang="{sent.get("language") if sent.get("language") == "de" else "en"}"') in page


def test_a_page_made_before_the_tenant_is_known_is_in_it_too(
    client_for: Callable[..., Client], tenants: Tenants
) -> None:
    answer = client_for().get("/", headers={"host": "nobody.localhost", "accept-language": "de"})
    assert (answer.status_code, "Hier ist nichts" in answer.content.decode()) == (404, True)


@pytest.mark.parametrize(
    ("language", "zone", "written"),
    [
        ("en", datetime.UTC, "9 Mar 2026, 17:05 UTC"),
        ("de", datetime.UTC, "09.03.2026, 17:05 UTC"),
        ("de", timezone.get_fixed_timezone(90), "09.03.2026, 18:35 +0130"),
    ],
)
def test_dates_follow_the_language_and_the_time_zone(language: str, zone: Any, written: str) -> None:
    at = datetime.datetime(2026, 3, 9, 17, 5, tzinfo=datetime.UTC)
    with translation.override(language), timezone.override(zone):
        assert f">{written}</time>" in render_to_string("partials/time.html", {"at": at})


@pytest.mark.xdist_group("language")
@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_begins_in_english_whatever_the_one_before_it_read(turn: str) -> None:
    assert translation.get_language() == "en"
    translation.activate("de")
