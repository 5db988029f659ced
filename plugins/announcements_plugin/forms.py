"""The form of an announcement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.validators import URLValidator

from plugins.announcements_plugin.models import Announcement

if TYPE_CHECKING:
    _AnnouncementModelForm = forms.ModelForm[Announcement]
else:
    _AnnouncementModelForm = forms.ModelForm


class AnnouncementForm(_AnnouncementModelForm):
    """What is said, how loudly, and when."""

    link = forms.URLField(
        required=False,
        max_length=500,
        assume_scheme="https",
        validators=[URLValidator(["http", "https"])],
        help_text="Where there is more to read.",
    )

    class Meta:
        model = Announcement
        fields = ["title", "text", "level", "link", "first_day", "last_day", "active"]
        labels = {"first_day": "First day", "last_day": "Last day", "active": "Show it"}
        help_texts = {
            "first_day": "From now on, if you leave this empty.",
            "last_day": "Until you take it down, if you leave this empty.",
            "active": "Untick it to take it down and keep it here.",
        }
        widgets = {
            "text": forms.Textarea(attrs={"rows": 4}),
            "first_day": forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
            "last_day": forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        }

    def clean(self) -> dict[str, Any]:
        """The last day is not before the first."""
        data = super().clean() or self.cleaned_data
        first, last = data.get("first_day"), data.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", "The last day is before the first.")
        return data
