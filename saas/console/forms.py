"""The console's forms: what staff types, checked before anything is done with it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from plugin_framework.catalog import plans
from plugin_framework.catalog.models import Availability
from plugin_framework.catalog.plans import Limits, PlanRow
from plugin_framework.registry import registry
from plugin_framework.sdk._counts import Counted
from plugin_framework.tenancy import public_scope
from saas.site.plugin_info import title_of
from tenants.models import PLATFORM_SCHEMA, Tenant

MOST_LISTED = 1000
_MESSAGE = 500  # characters, as the columns hold
SAYING_WHY = {
    Availability.WITHDRAWN: _("Tell the organisations why it is withdrawn."),
    Availability.DEPRECATED: _("Tell the organisations why it is deprecated, and until when it runs."),
}


class OfferForm(forms.Form):
    """To whom a plugin is offered; `cleaned_data["granted"]` are the schemas of the organisations in `tenants`."""

    availability = forms.ChoiceField(label=_("Availability"), choices=Availability.choices, widget=forms.RadioSelect)
    message = forms.CharField(
        label=_("Message"),
        required=False,
        max_length=_MESSAGE,
        widget=forms.Textarea({"rows": 3}),
        help_text=_(
            "Organisations read it on the plugin’s page while it is withdrawn or deprecated. Say why, and what to expect."
        ),
    )
    instead = forms.ChoiceField(
        label=_("What to use instead"),
        required=False,
        help_text=_("While it is deprecated, its page leads organisations there."),
    )
    tenants = forms.CharField(
        label=_("Listed organisations"),
        required=False,
        max_length=40 * MOST_LISTED,
        widget=forms.Textarea({"rows": 4}),
        help_text=_(
            "Their short names, one to a line, as in acme. A deprecated plugin is still offered to those listed; list none, "
            "and it is to everyone."
        ),
    )

    def __init__(self, plugin: str, *args: Any, **options: Any) -> None:
        """`plugin`: the one that is decided about."""
        super().__init__(*args, **options)
        kept = (options.get("initial") or {}).get("instead", "")  # its code may be away for a while
        others = sorted(({*registry.specs, *([kept] if kept else [])}) - {plugin}, key=title_of)
        choices = [("", _("Nothing")), *((name, title_of(name)) for name in others)]
        self.fields["instead"].choices = choices  # type: ignore[attr-defined]  # the field's

    def clean_tenants(self) -> str:
        """Look the organisations up, and name those that do not exist."""
        slugs = {slug for slug in re.split(r"[\s,;]+", self.cleaned_data["tenants"].lower()) if slug}
        if len(slugs) > MOST_LISTED:
            raise forms.ValidationError(
                _("List at most %(most)s organisations; offer it to everyone instead."),
                params={"most": Counted(MOST_LISTED)},
            )
        with public_scope():
            rows = Tenant.objects.filter(slug__in=slugs).exclude(schema_name=PLATFORM_SCHEMA)
            found = dict(rows.values_list("slug", "schema_name"))
        if unknown := sorted(slugs - set(found)):
            raise forms.ValidationError(
                _("There is no organisation called %(names)s. Check the spelling."),
                params={"names": ", ".join(unknown[:10])},
            )
        self.cleaned_data["granted"] = set(found.values())
        return "\n".join(sorted(found))

    def clean(self) -> dict[str, Any]:
        """What depends on more than one field."""
        data = super().clean() or self.cleaned_data
        chosen = data.get("availability")
        if chosen in SAYING_WHY and not data.get("message") and "message" not in self.errors:
            self.add_error("message", SAYING_WHY[Availability(chosen)])
        if chosen == Availability.LISTED and not data.get("tenants") and "tenants" not in self.errors:
            self.add_error("tenants", _("Name at least one organisation."))
        return data


class StandingForm(forms.Form):
    """Whether new organisations begin with a plugin, and whether those that have it may disable it."""

    on_by_default = forms.BooleanField(
        label=_("On by default"),
        required=False,
        help_text=_(
            "Every organisation that signs up from now on begins with it, and with what it needs. Those that are there are not touched."
        ),
    )
    required = forms.BooleanField(
        label=_("Required"),
        required=False,
        help_text=_(
            "No organisation that has it enabled can disable it, and it reads why. Those that have not are not given it: enable it "
            "for them in the fleet."
        ),
    )


class SuspendForm(forms.Form):
    """Why an organisation is suspended."""

    message = forms.CharField(
        label=_("Message"),
        max_length=_MESSAGE,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("Everybody who opens the organisation’s pages reads it. Say why, and whom to ask."),
        error_messages={"required": _("Tell its people why it is suspended, and whom to ask.")},
    )


MEGABYTE = 1024 * 1024
_NO_LIMIT = {"min_value": _("Give a number from 1, or nothing for no limit.")}


class PlanForm(forms.Form):
    """A plan's name, plugins and limits; an empty limit is none."""

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        help_text=_("As organisations read it."),
        error_messages={"required": _("Give the plan a name.")},
    )
    plugins = forms.MultipleChoiceField(
        label=_("Plugins"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "Taking one away stops it with the next request of every organisation on this plan; nothing is deleted."
        ),
    )
    people = forms.IntegerField(
        label=_("People"),
        required=False,
        min_value=1,
        error_messages=_NO_LIMIT,
        max_value=10**9,
        help_text=_("Accounts that may sign in, and open invitations. Empty: no limit."),
    )
    deliveries = forms.IntegerField(
        label=_("Deliveries a day"),
        required=False,
        min_value=1,
        error_messages=_NO_LIMIT,
        max_value=10**12,
        help_text=_("From midnight to midnight UTC. What is beyond waits for the next day. Empty: no limit."),
    )
    storage = forms.IntegerField(
        label=_("Storage in MB"),
        required=False,
        min_value=1,
        error_messages=_NO_LIMIT,
        max_value=10**9,
        help_text=_(
            "Files and tables; a new organisation’s empty tables take less than 1 MB. New files are refused beyond. Empty: no limit."
        ),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        known = {
            *registry.specs,
            *(options.get("initial") or {}).get("plugins", ()),
        }  # its code may be away for a while
        titles = sorted(((name, title_of(name)) for name in known), key=lambda each: each[1].casefold())
        self.fields["plugins"].choices = titles  # type: ignore[attr-defined]  # the field's

    def limits(self) -> Limits:
        """What was typed, as the engine takes it."""
        data = self.cleaned_data
        storage = None if data["storage"] is None else data["storage"] * MEGABYTE
        return Limits(data["people"], data["deliveries"], storage)


class NewPlanForm(PlanForm):
    """The same, with the name that stands in addresses."""

    slug = forms.SlugField(
        label=_("Short name"),
        max_length=50,
        help_text=_("For the command line, as in basic. It stays."),
        error_messages={
            "invalid": _("Use the letters a to z, digits, hyphens and underscores only, as in basic or team-2.")
        },
    )
    field_order = ("name", "slug", "plugins", "people", "deliveries", "storage")

    def clean_slug(self) -> str:
        """One that is free."""
        slug = str(self.cleaned_data["slug"])
        if any(plan.slug == slug for plan in plans.plans()):
            raise forms.ValidationError(_("There is a plan with this short name already."))
        return slug


class TenantPlanForm(forms.Form):
    """Which plan an organisation has."""

    plan = forms.ChoiceField(label=_("Plan"), required=False)

    def __init__(self, *args: Any, known: Iterable[PlanRow] | None = None, **options: Any) -> None:
        """`known`: all plans, where they have been read already."""
        super().__init__(*args, **options)
        names = [(plan.slug, plan.name) for plan in (plans.plans() if known is None else known)]
        self.fields["plan"].choices = [("", _("No plan: all that is offered")), *names]  # type: ignore[attr-defined]  # as above
