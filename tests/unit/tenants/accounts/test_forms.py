"""What a new person's form takes, and what it sends back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.exceptions import ValidationError

from tenants.accounts.forms import NewPersonForm, one_plain_line

GOOD = {"name": "Ada Lovelace", "email": "ada@acme.example", "password": "a long pass phrase 7"}


def errors(**changes: str) -> set[str]:
    return set(NewPersonForm({**GOOD, **changes}).errors)


def test_an_ordinary_person_is_welcome() -> None:
    assert errors() == set()
    assert errors(name="") == set()
    assert errors(name="José Müller-Đặng 王 👩‍🚀", email="Jose.M+news@Acme.Example") == set()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Ada\nBcc: eve@evil.example"),
        ("name", "Ada\x00"),
        ("name", "Ada \ud800"),
        ("name", "Ada \u202egnp.exe"),
        ("name", "A" * 151),
        ("email", ""),
        ("email", "ada"),
        ("email", "ada@acme.example\nbcc: eve@evil.example"),
        ("email", "\u212aelvin@acme.example"),  # a Kelvin sign, which is lower-cased to the letter k
        ("email", "ad\u0131@acme.example"),
        ("email", "ada@\udcff.example"),
        ("email", "a" * 250 + "@acme.example"),
        ("password", ""),
        ("password", "short"),
        ("password", "password123"),
        ("password", "12345678901234"),
        ("password", "ada@acme.example"),
        ("password", "Ada Lovelace"),
        ("password", "a long pass phrase \ud800"),
        ("password", "a long pass phrase \x00"),
        ("password", "a long pass phrase " * 10),
    ],
)
def test_what_cannot_be_taken_is_said_at_its_field(field: str, value: str) -> None:
    assert errors(**{field: value}) == {field}


def test_a_password_is_never_sent_back() -> None:
    form = NewPersonForm({**GOOD, "email": "no address"})
    assert "ada" in NewPersonForm({**GOOD}).as_p().lower()
    assert GOOD["password"] not in form.as_p()


def test_a_password_keeps_its_spaces() -> None:
    form = NewPersonForm({**GOOD, "password": "  spaced  out  phrase  "})
    assert form.is_valid()
    assert form.cleaned_data["password"] == "  spaced  out  phrase  "


def test_every_control_character_is_refused() -> None:
    def taken() -> Iterator[str]:
        for code in [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]:
            try:
                one_plain_line(f"a{chr(code)}b")
            except ValidationError:
                continue
            yield hex(code)

    assert list(taken()) == []
