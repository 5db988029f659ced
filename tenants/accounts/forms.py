"""The form in which a new person says who they are, wherever they come from, and what their text may consist of."""

from __future__ import annotations

import unicodedata
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tenants.accounts.models import User

# Control characters, halves of surrogate pairs, line and paragraph separators: a name with one of these breaks a mail's header.
_UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
NEW_PASSWORD = _("Ten characters or more; a few words are better than one with odd signs.")
_TURNS_TEXT_AROUND = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def one_plain_line(text: str) -> None:
    """Refuse what cannot be printed on one line, or would be read in another order than it is written.

    Raises:
        ValidationError: for the field whose validator this is.
    """
    if any(unicodedata.category(sign) in _UNPRINTABLE or sign in _TURNS_TEXT_AROUND for sign in text):
        raise ValidationError(_("Use only characters that can be printed, on one line."), code="unprintable")


def plain_mailbox(email: str) -> None:
    """Refuse letters before the @ that are not ASCII: some are compared as others (a dotless i, a Kelvin sign).

    Raises:
        ValidationError: for the field whose validator this is.
    """
    if not email.rpartition("@")[0].isascii():
        raise ValidationError(_("Use only unaccented letters, digits and signs before the @."), code="mailbox")


def email_field() -> forms.EmailField:
    """A field for an address that an account can have."""
    return forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        validators=[one_plain_line, plain_mailbox],
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )


class NewPersonForm(forms.Form):
    """Name, address and password of somebody who is about to get an account. The password is never sent back."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=150,
        required=False,
        validators=[one_plain_line],
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = email_field()
    password = forms.CharField(
        label=_("Password"),
        max_length=128,
        strip=False,
        validators=[one_plain_line],
        help_text=NEW_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        """The password, compared with the person it belongs to."""
        found = self.cleaned_data
        if found.get("password"):
            try:
                validate_password(found["password"], User(email=found.get("email", ""), name=found.get("name", "")))
            except ValidationError as error:
                self.add_error("password", error)
        return found
