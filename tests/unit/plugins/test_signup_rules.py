"""Who may register, by the domain: whatever the spelling, and with nothing left to chance."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.signup_rules_plugin.domains import NoDomain, folded
from plugins.signup_rules_plugin.plugin import SignupRulesPlugin
from plugins.signup_rules_plugin.rules import Rules


def rules(**config: Any) -> Rules:
    return Rules.of(
        {f"{name}_domains" if name != "addresses" else "allowed_addresses": v for name, v in config.items()}
    )


def wrong(**config: Any) -> list[str]:
    return SignupRulesPlugin().validate_config(config)


@pytest.mark.parametrize(
    ("typed", "known"),
    [
        ("Acme.EXAMPLE", "acme.example"),
        (" acme.example ", "acme.example"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("ａｃｍｅ.example", "acme.example"),  # full-width letters
        ("acme\u3002example", "acme.example"),  # another alphabet's dot
        ("ac\u00adme.example", "acme.example"),  # a hyphen that nobody sees
        ("\u212aelvin.example", "kelvin.example"),  # the sign for kelvin
    ],
)
def test_a_domain_has_one_spelling(typed: str, known: str) -> None:
    assert folded(typed) == known


@pytest.mark.parametrize(
    "typed",
    ["", " ", "example", ".example", "a..example", "acme.example.", "@acme.example", "*.acme.example", "http://a.example",
     "a b.example", "a_b.example", "-a.example", "a-.example", "[127.0.0.1]", "a.example:25", "a\n.example", "a\x00.example",
     "\ud800.example", "x" * 64 + ".example", "a." * 150 + "example", "ü" * 60 + ".example"],
)  # fmt: skip
def test_what_no_mail_can_be_sent_to_is_no_domain(typed: str) -> None:
    with pytest.raises(NoDomain):
        folded(typed)
    if not typed.startswith("@"):  # which would be another mailbox
        assert not Rules().admit(f"eve@{typed}")


def test_only_the_allowed_domains_people_may_register() -> None:
    known = rules(allowed=["acme.example", "Bücher.example"])
    assert known.admit("ada@acme.example")
    assert known.admit("ada@ACME.example")
    assert known.admit('"ada@home"@acme.example')  # the last @ counts
    assert known.admit("ada@bücher.example")
    assert known.admit("ada@xn--bcher-kva.example")
    for other in (
        "x@other.example",
        "x@notacme.example",
        "x@acme.example.evil.example",
        "acme.example",
        "@acme.example",
        "x@acme",
        "",
    ):
        assert not known.admit(other)
    assert not known.admit("ada@acme.example@evil.example")


def test_subdomains_may_only_if_the_switch_says_so() -> None:
    lists = {"allowed_domains": ["acme.example"]}
    assert not Rules.of({**lists, "allow_subdomains": False}).admit("x@berlin.acme.example")
    with_switch = Rules.of({**lists, "allow_subdomains": True})
    assert with_switch.admit("x@berlin.acme.example")
    assert with_switch.admit("x@a.b.acme.example")
    assert not with_switch.admit("x@evilacme.example")


def test_blocked_is_stronger_than_allowed_and_holds_for_subdomains() -> None:
    known = Rules.of(
        {"allowed_domains": ["acme.example"], "allow_subdomains": True, "blocked_domains": ["ext.acme.example"]}
    )
    assert known.admit("x@acme.example")
    assert not known.admit("x@ext.acme.example")
    assert not known.admit("x@a.ext.acme.example")


def test_with_blocked_domains_alone_everybody_else_may() -> None:
    known = rules(blocked=["banned.example"])
    assert known.admit("x@acme.example")
    for spelling in (
        "banned.example",
        "BANNED.example",
        "ba\u00adnned.example",
        "ｂanned.example",
        "mail.banned.example",
    ):
        assert not known.admit(f"x@{spelling}")


def test_a_single_address_may_all_the_same() -> None:
    known = rules(allowed=["acme.example"], blocked=["other.example"], addresses=["Guest@Other.example"])
    assert known.admit("guest@other.example")
    assert not known.admit("guest2@other.example")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "at least one domain"),
        ({"allowed_domains": [], "blocked_domains": []}, "at least one domain"),
        ({"allowed_addresses": ["a@acme.example"]}, "at least one domain"),
        ({"allowed_domains": ["http://acme.example"]}, "“http://acme.example” is not a domain"),
        ({"blocked_domains": ["com"]}, "“com” is not a domain"),
        ({"allowed_domains": ["a.example"], "allowed_addresses": ["x@com"]}, "“x@com” is not an address"),
        ({"allowed_domains": ["a.example"], "blocked_domains": ["A.example"]}, "a.example is both allowed and blocked"),
        ({"allowed_domains": ["x.a.example"], "blocked_domains": ["a.example"]}, "x.a.example is allowed, but"),
    ],
)
def test_settings_that_make_no_sense_are_refused_with_the_reason(config: dict[str, Any], words: str) -> None:
    assert [words in each for each in wrong(**config)] == [True]


def test_settings_that_make_sense_are_not_refused() -> None:
    assert wrong(allowed_domains=["acme.example"]) == []
    assert wrong(blocked_domains=["bücher.example"], allowed_addresses=["x@bücher.example"]) == []
    assert wrong(allowed_domains=["a.example"], allow_subdomains=True, blocked_domains=["x.a.example"]) == []
