"""The sign-up form."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tenants.accounts.models import User
from tenants.directory import is_free
from tenants.names import problem_with, suggest


class SignUpForm(forms.Form):
    """What an organisation has to say of itself and its first person."""

    organisation = forms.CharField(
        label=_("Organisation"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "organization"})
    )
    slug = forms.CharField(
        label=_("Address"),
        max_length=32,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    name = forms.CharField(label=_("Your name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(label=_("Email"), widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    password = forms.CharField(
        label=_("Password"),
        max_length=128,
        strip=False,
        help_text=_("Ten characters or more; a few words are better than one with odd signs."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["slug"].help_text = _(
            "Where your organisation will be: ADDRESS.%(domain)s. Left empty, it is made from the name."
        ) % {"domain": settings.BASE_DOMAIN}

    def clean_slug(self) -> str:
        """Lower-case; made from the organisation's name if nothing was typed."""
        slug: str = self.cleaned_data["slug"].strip().lower() or suggest(
            self.cleaned_data.get("organisation", ""), is_free
        )
        if problem := problem_with(slug):
            raise ValidationError(problem)
        return slug

    def clean(self) -> dict[str, Any]:
        """The password, compared with the person it belongs to."""
        found = self.cleaned_data
        if found.get("password"):
            try:
                validate_password(found["password"], User(email=found.get("email", ""), name=found.get("name", "")))
            except ValidationError as error:
                self.add_error("password", error)
        return found
