"""Slugs: what is refused, and what is offered instead."""

import re

import pytest

from tenants.models import SCHEMA_PATTERN
from tenants.names import RESERVED, new_schema_name, problem_with, suggest


@pytest.mark.parametrize("slug", ["acme", "acme-rockets", "a1b", "globex-2"])
def test_ordinary_names_are_accepted(slug: str) -> None:
    assert problem_with(slug) == ""


@pytest.mark.parametrize(
    "slug",
    [
        "ab",
        "a" * 33,
        "1acme",
        "-acme",
        "acme-",
        "ac--me",
        "Acme",
        "acme.x",
        "acme_x",
        "acme x",
        "",
        "xn--cme-8cd",
        "аcme",
        "acmé",
    ],
)
def test_malformed_names_are_refused_with_a_sentence(slug: str) -> None:
    assert problem_with(slug).endswith(".")


@pytest.mark.parametrize(
    "slug", ["admin", "admins", "adm1n", "adm1ns", "l0gin", "www", "api", "ap1", "sign-up", "web-mail", "platform"]
)
def test_reserved_names_and_their_lookalikes_are_refused(slug: str) -> None:
    assert "reserved" in problem_with(slug)


def test_every_reserved_name_is_refused() -> None:
    assert [name for name in RESERVED if not problem_with(name)] == []


def test_a_suggestion_is_allowed_free_and_near() -> None:
    taken = {"acme", "acme-org"}
    assert suggest("Acme!", lambda slug: slug not in taken) == "acme-team"
    assert suggest("admin", lambda slug: True) == "admin-org"
    assert suggest("Ångström & Söhne", lambda slug: True) == "angstrom-sohne"
    assert suggest("Größe & Smørrebrød", lambda slug: True) == "grosse-smorrebrod"
    assert problem_with(suggest("日本", lambda slug: True)) == ""


def test_schema_names_are_random_and_fit_the_databases_own_rule() -> None:
    names = {new_schema_name() for _ in range(1000)}
    assert len(names) == 1000
    assert all(re.fullmatch(SCHEMA_PATTERN, name) for name in names)
