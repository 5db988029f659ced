"""Puts domains and addresses into the one spelling in which they are compared: the one that mail is sent to."""

from __future__ import annotations

import re
from collections.abc import Iterator

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})+")


class NoDomain(ValueError):
    """This is no domain that mail could be sent to. Write it like example.com."""


def folded(domain: str) -> str:
    """`domain` in lower case and, if it has other letters than ASCII's, in the form that DNS knows (``xn--…``).

    By Python's own IDNA codec, as Django does when it sends the code that proves an address: a domain is the one whose mail server
    gets that code, however it was typed (full-width letters, other dots, invisible hyphens).

    Raises:
        NoDomain: no mail could be sent there.
    """
    try:
        found = domain.strip().lower().encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise NoDomain(NoDomain.__doc__) from error
    if not _DOMAIN.fullmatch(found):
        raise NoDomain(NoDomain.__doc__)
    return found


def folded_address(address: str) -> str:
    """An e-mail address with its domain folded, in lower case like the accounts' own.

    Raises:
        NoDomain: there is no domain in it, or nobody at that domain.
    """
    mailbox, _, domain = address.strip().lower().rpartition("@")
    if not mailbox:
        raise NoDomain("This is no e-mail address. Write it like name@example.com.")
    return f"{mailbox}@{folded(domain)}"


def with_parents(domain: str) -> Iterator[str]:
    """A folded domain, and then each domain it is under: ``a.b.example``, ``b.example``; not the last label alone."""
    labels = domain.split(".")
    yield from (".".join(labels[start:]) for start in range(len(labels) - 1))
