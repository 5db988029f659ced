"""The token in the link for a new password is Django's own: made of the person alone, and not of the tenant."""

from __future__ import annotations

from django.contrib.auth import tokens

from tenants.accounts.tokens import PasswordResetTokenGenerator


def plant() -> None:
    """Leave the tenant out."""
    PasswordResetTokenGenerator._make_hash_value = tokens.PasswordResetTokenGenerator._make_hash_value
