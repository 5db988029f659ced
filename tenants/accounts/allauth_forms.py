"""allauth's forms as ours are: no placeholder looks as if something were typed already, and help is what helps with the field."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as theirs
from django import forms

from tenants.accounts.forms import NEW_PASSWORD

# What helps with a field. A way to another page is none: it belongs below the form, where nobody who types has to pass it.
_HELP = {"password1": NEW_PASSWORD}


class _LikeOurs(forms.Form):
    """Mixed into one of theirs, whose fields are known by their names."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.help_text = _HELP.get(name, "")
            field.widget.attrs.pop("placeholder", None)


class LoginForm(_LikeOurs, theirs.LoginForm):  # type: ignore[misc]  # allauth is untyped
    """Signing in."""


class AddEmailForm(_LikeOurs, theirs.AddEmailForm):  # type: ignore[misc]  # as above
    """One more address."""


class ChangePasswordForm(_LikeOurs, theirs.ChangePasswordForm):  # type: ignore[misc]  # as above
    """Another password for whoever knows the one they have."""


class SetPasswordForm(_LikeOurs, theirs.SetPasswordForm):  # type: ignore[misc]  # as above
    """A password for whoever has none."""


class ResetPasswordForm(_LikeOurs, theirs.ResetPasswordForm):  # type: ignore[misc]  # as above
    """Where to send the mail."""


class ResetPasswordKeyForm(_LikeOurs, theirs.ResetPasswordKeyForm):  # type: ignore[misc]  # as above
    """Another password for whoever has the mail."""


class ReauthenticateForm(_LikeOurs, theirs.ReauthenticateForm):  # type: ignore[misc]  # as above
    """The password once more."""


class ConfirmEmailVerificationCodeForm(_LikeOurs, theirs.ConfirmEmailVerificationCodeForm):  # type: ignore[misc]  # as above
    """The code that was mailed to a new address."""


class ConfirmLoginCodeForm(_LikeOurs, theirs.ConfirmLoginCodeForm):  # type: ignore[misc]  # as above
    """The code that was mailed to sign in with."""
