"""The form of an endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from plugin_framework.sdk import NetworkError, reread
from plugin_framework.sdk.net import HttpClient, NetworkTimeout
from plugins.webhooks_plugin.events import NAMES
from plugins.webhooks_plugin.models import Endpoint

if TYPE_CHECKING:
    _EndpointModelForm = forms.ModelForm[Endpoint]
else:  # Django's class takes no parameters while the program runs
    _EndpointModelForm = forms.ModelForm


class EndpointForm(_EndpointModelForm):
    """Where to, and what."""

    url = forms.CharField(
        label="URL",
        max_length=2000,
        help_text=_("Where your program listens: https, on the public internet. Messages are posted here."),
        widget=forms.TextInput({"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    events = forms.MultipleChoiceField(
        label=_("Only these events"),
        required=False,
        choices=list(NAMES.items()),
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Endpoint
        fields = ["url", "description", "every_event", "events"]
        labels = {"description": _("Description"), "every_event": _("Every event")}
        help_texts = {
            "description": _("For your own people, on these pages."),
            "every_event": _("Those that come with later versions too. Untick it to choose some below."),
        }

    def __init__(self, http: HttpClient, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._http = http

    def clean_url(self) -> str:
        """Nothing that the HTTP client would refuse later."""
        url = str(self.cleaned_data["url"])
        try:
            self._http.check_url(url)
        except NetworkTimeout:
            pass  # a slow name server says nothing about the URL; whether it can be reached shows when something is sent
        except NetworkError as error:
            raise forms.ValidationError(str(reread(str(error))), code="refused") from None
        return url

    def clean(self) -> dict[str, Any]:
        """It wants something."""
        data = super().clean() or self.cleaned_data
        if not data.get("every_event") and not data.get("events") and "events" not in self.errors:
            self.add_error("events", _("Choose at least one event, or tick “Every event”."))
        return data
