"""All that a plugin author imports. What is not in ``__all__`` is private and may change in any release."""

from typing import TYPE_CHECKING, Any

from plugin_framework.sdk._config import ConfigurablePlugin, DatabasePlugin
from plugin_framework.sdk._counts import Amount, Counted
from plugin_framework.sdk._delivery import delivery_answered, delivery_is_sample, delivery_key, exactly_once
from plugin_framework.sdk._errors import (
    DeadLetter,
    NotAllowed,
    NoTenant,
    PluginError,
    RetryLater,
    SecretLost,
    UnknownHook,
    Veto,
)
from plugin_framework.sdk._hooks import HookPoint, SampleFor, action, event, filter_value, hook
from plugin_framework.sdk._jobs import cron, daily, hourly
from plugin_framework.sdk._language import in_language_of
from plugin_framework.sdk._people import Person
from plugin_framework.sdk._plugin import PluginInterface
from plugin_framework.sdk._registry import apply_filters, call_hook, emit, plugin_registry
from plugin_framework.sdk._sealing import seal, unseal
from plugin_framework.sdk._values import Banner, CheckResult, ErrorReport, NavItem, Panel, TenantInfo
from plugin_framework.sdk._views import PluginAwareView, banner_dismissed
from plugin_framework.sdk._words import Phrase, reread
from plugin_framework.sdk.net import NetworkError

if TYPE_CHECKING:
    from plugin_framework.sdk._models import PluginModel, SealedField

__all__ = [
    "Amount",
    "Banner",
    "CheckResult",
    "ConfigurablePlugin",
    "Counted",
    "DatabasePlugin",
    "DeadLetter",
    "ErrorReport",
    "HookPoint",
    "NavItem",
    "NetworkError",
    "NoTenant",
    "NotAllowed",
    "Panel",
    "Person",
    "Phrase",
    "PluginAwareView",
    "PluginError",
    "PluginInterface",
    "PluginModel",
    "RetryLater",
    "SampleFor",
    "SealedField",
    "SecretLost",
    "TenantInfo",
    "UnknownHook",
    "Veto",
    "action",
    "apply_filters",
    "banner_dismissed",
    "call_hook",
    "cron",
    "daily",
    "delivery_answered",
    "delivery_is_sample",
    "delivery_key",
    "emit",
    "event",
    "exactly_once",
    "filter_value",
    "hook",
    "hourly",
    "in_language_of",
    "plugin_registry",
    "reread",
    "seal",
    "unseal",
]


def __getattr__(name: str) -> Any:
    """What models are made of comes when it is asked for: a plugin's package is imported before Django's models can be."""
    if name in ("PluginModel", "SealedField"):
        from plugin_framework.sdk import _models

        return getattr(_models, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
