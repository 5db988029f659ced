"""The sign-up form."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from saas.links import url_of
from tenants.accounts.forms import NewPersonForm, one_plain_line
from tenants.directory import is_free, why_taken
from tenants.names import problem_with, suggest


class SignUpForm(NewPersonForm):
    """What an organisation has to say of itself and its first person."""

    organisation = forms.CharField(
        label=_("Organisation"),
        max_length=100,
        validators=[one_plain_line],
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    slug = forms.CharField(
        label=_("Web address"),
        max_length=32,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    field_order = ("organisation", "slug", "name", "email", "password")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = True
        self.fields["slug"].help_text = _("Where your organisation will be. Left empty, it is made from the name.")

    @property
    def host_end(self) -> str:
        """What the host name of every organisation ends with, as people see it in their browser."""
        return url_of(f".{settings.BASE_DOMAIN}").partition("//")[2].rstrip("/")

    def full_clean(self) -> None:
        """Check everything, and ask for the password again where it is the other fields that are wrong."""
        super().full_clean()
        if self.is_bound and self.errors and "password" not in self.errors:
            self.remind_of_the_password()

    def remind_of_the_password(self) -> None:
        """It is not sent back with the other fields: say so where it has to be typed again."""
        self["password"].help_text = _("Type it again: for your safety it is not sent back with the rest.")

    def clean_slug(self) -> str:
        """Lower-case; made from the organisation's name if nothing was typed."""
        name = self.cleaned_data.get("organisation", "")
        slug: str = self.cleaned_data["slug"].strip().lower() or suggest(name, is_free)
        problem = problem_with(slug) or why_taken(slug)
        if problem:
            raise ValidationError(self._with_advice(problem, slug))
        return slug

    def somebody_was_quicker(self, problem: str) -> None:
        """The slug was free when the form was checked, and went to somebody else since."""
        self.add_error("slug", self._with_advice(problem, self.cleaned_data["slug"]))
        self.remind_of_the_password()

    def _with_advice(self, problem: str, slug: str) -> str:
        near = suggest(slug or self.cleaned_data.get("organisation", ""), is_free)
        advice = _("How about %(near)s?") % {"near": near} if near else ""
        return f"{problem} {advice}".strip()
