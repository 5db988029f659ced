"""The form an announcement is written in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from plugin_framework.sdk import Banner
from plugins.announcements_plugin.models import Announcement
from plugins.announcements_plugin.services import AnnouncementInput

if TYPE_CHECKING:
    _AnnouncementModelForm = forms.ModelForm[Announcement]
else:  # Django's class takes no parameters while the program runs
    _AnnouncementModelForm = forms.ModelForm

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_LINK = _("A link leads to a path that begins with / or to an address with http:// or https://.")


class Moment(forms.DateTimeField):
    """A day and a time, in the organisation's time zone; its label says which that is."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def clean(self, value: Any) -> datetime | None:
        """Within a range that every database and browser can show."""
        found: datetime | None = super().clean(value)
        if found is not None and not EARLIEST <= found < LATEST:
            raise forms.ValidationError(_("Choose a day between the years 2000 and 2099."))
        return found


class AnnouncementForm(_AnnouncementModelForm):
    """All of an announcement, and the revision the person has been looking at."""

    starts_at = Moment(label=_("From"), required=False, help_text=_("Left empty, it is shown at once."))
    ends_at = Moment(label=_("Until"), required=False, help_text=_("Left empty, it is shown until you take it off."))
    revision = forms.CharField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Announcement
        fields = ["title", "text", "level", "link_url", "link_label", "starts_at", "ends_at", "is_active"]
        widgets = {"text": forms.Textarea(attrs={"rows": 4})}
        labels = {
            "title": _("Title"),
            "text": _("Text"),
            "level": _("Level"),
            "link_url": _("Link"),
            "link_label": _("Words of the link"),
            "is_active": _("Show it"),
        }
        help_texts = {
            "link_url": _(
                "Where to read more: an address with https://, or a path of these pages such as /apps/orders/."
            ),
            "is_active": _("Take the tick away to keep it here without showing it."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("starts_at", "ends_at"):
            self.fields[name].label = f"{self.fields[name].label} ({timezone.get_current_timezone_name()})"

    def clean_revision(self) -> int:
        """A small number; the page made it, so anything else was tampered with, and counts as never seen."""
        text = str(self.cleaned_data["revision"])
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0

    def clean_link_url(self) -> str:
        """Only what a banner may lead to."""
        url = str(self.cleaned_data["link_url"])
        try:
            Banner("link", "", "", link_url=url, link_label="link" if url else "")
        except ValueError as error:
            raise forms.ValidationError(_LINK) from error
        return url

    def clean(self) -> dict[str, Any]:
        """What two fields say of each other."""
        found = super().clean() or self.cleaned_data
        if found.get("starts_at") and found.get("ends_at") and found["ends_at"] <= found["starts_at"]:
            self.add_error("ends_at", _("It would be over before it begins: choose a later time than in “From”."))
        if "link_url" in found and "link_label" in found and bool(found["link_url"]) is not bool(found["link_label"]):
            missing = "link_label" if found["link_url"] else "link_url"
            self.add_error(missing, _("A link takes both an address and words to press: give both, or neither."))
        return found

    def wanted(self) -> AnnouncementInput:
        """The announcement as it was entered; call it after `is_valid` only."""
        return AnnouncementInput(**{name: self.cleaned_data[name] for name in self.Meta.fields})
