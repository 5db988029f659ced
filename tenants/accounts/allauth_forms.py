"""allauth's forms in our words: labels like those of our own forms, and no placeholder that looks as if something were typed already."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as theirs
from django import forms
from django.utils.translation import gettext_lazy as _

from tenants.accounts.forms import EMAIL, NEW_PASSWORD, NO_ADDRESS

_LABELS = {
    "login": EMAIL,
    "email": EMAIL,
    "remember": _("Stay signed in on this device"),
    "oldpassword": _("The password you have now"),
    "password1": _("New password"),
    "password2": _("New password once more"),
}
# What helps with a field. A way to another page is none: it belongs below the form, where nobody who types has to pass it.
_HELP = {"password1": NEW_PASSWORD}


class _OurWords(forms.Form):
    """Mixed into one of theirs, whose fields are known by their names."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = _LABELS.get(name, field.label)
            field.help_text = _HELP.get(name, "")
            field.widget.attrs.pop("placeholder", None)
            if isinstance(field, forms.EmailField):
                field.error_messages["invalid"] = NO_ADDRESS


class LoginForm(_OurWords, theirs.LoginForm):  # type: ignore[misc]  # allauth is untyped, as below
    """Signing in."""


class AddEmailForm(_OurWords, theirs.AddEmailForm):  # type: ignore[misc]
    """One more address."""


class ChangePasswordForm(_OurWords, theirs.ChangePasswordForm):  # type: ignore[misc]
    """Another password for whoever knows the one they have."""


class SetPasswordForm(_OurWords, theirs.SetPasswordForm):  # type: ignore[misc]
    """A password for whoever has none."""


class ResetPasswordForm(_OurWords, theirs.ResetPasswordForm):  # type: ignore[misc]
    """Where to send the mail."""


class ResetPasswordKeyForm(_OurWords, theirs.ResetPasswordKeyForm):  # type: ignore[misc]
    """Another password for whoever has the mail."""


class ReauthenticateForm(_OurWords, theirs.ReauthenticateForm):  # type: ignore[misc]
    """The password once more."""


class ConfirmEmailVerificationCodeForm(_OurWords, theirs.ConfirmEmailVerificationCodeForm):  # type: ignore[misc]
    """The code that was mailed to a new address."""


class ConfirmLoginCodeForm(_OurWords, theirs.ConfirmLoginCodeForm):  # type: ignore[misc]
    """The code that was mailed to sign in with."""
