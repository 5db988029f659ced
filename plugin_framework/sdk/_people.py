"""Whose personal data a plugin is asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of whom the organisation keeps data: one of its people, or somebody without an account, such as a customer.

    Attributes:
        emails: all addresses that are known to be theirs, in lower case; compare addresses without regard to case.
        user_id: the primary key of their account, if they have one.
    """

    emails: tuple[str, ...]
    user_id: int | None = None
