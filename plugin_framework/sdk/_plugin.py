"""The base class of every plugin."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from plugin_framework.sdk import _runtime
from plugin_framework.sdk._hooks import HookPoint
from plugin_framework.sdk._people import Person
from plugin_framework.sdk._values import Banner, CheckResult, NavItem, Panel, TenantInfo
from plugin_framework.sdk.net import HttpClient, SmtpClient

if TYPE_CHECKING:
    from django.http import HttpRequest


class PluginInterface(ABC):
    """One feature that tenants can switch on.

    The platform makes one instance per tenant, hands it that tenant's validated settings in `initialize`, and calls `cleanup` once
    after the last use. An instance is shared between threads: keep what `initialize` made, change nothing later.
    """

    name: str  # unique among all plugins, snake_case; may be a property
    version: str  # PEP 440; may be a property
    description: str = ""
    dependencies: Sequence[str] = ()  # "orders" or "orders>=1.2,<2"

    title: ClassVar[str] = ""
    category: ClassVar[str] = "Other"
    icon: ClassVar[str] = "plug"
    details: ClassVar[str] = ""  # a longer text for the plugin's page
    requires_platform: ClassVar[str] = ""  # a PEP 440 range, ">=0.1"
    priority: ClassVar[int] = 100  # among plugins that do not depend on each other; lower runs first
    config_version: ClassVar[int] = 1  # raise it when saved settings have to be changed; see `migrate_config`
    declares: ClassVar[Sequence[HookPoint]] = ()  # hook points this plugin adds for others
    reads: ClassVar[Sequence[str]] = ()  # the data it reads, in words
    stores: ClassVar[Sequence[str]] = ()  # the data it keeps in the organisation's database, in words
    sends_to: ClassVar[Sequence[str]] = ()  # the hosts it talks to, in words
    keeps_of_people: ClassVar[str] = ""  # what stays when a person's data is erased, and why, in a sentence
    changelog: ClassVar[
        Sequence[tuple[str, str, str]] | str
    ] = ()  # newest first: version, date ("2026-11-28"), text; or a text
    docs_url: ClassVar[str] = ""  # where its manual is: http or https
    support_url: ClassVar[str] = ""  # whom to ask: http, https or mailto
    urls: ClassVar[Sequence[Any]] = ()  # URL patterns, or the dotted path of a URLconf, served under /apps/<name>/

    # Set by the platform before `initialize`.
    tenant: TenantInfo
    settings: Mapping[str, Any]

    @abstractmethod
    def initialize(self, config: dict[str, Any]) -> None:
        """Take the tenant's settings. No database writes, no connections: this runs inside a request.

        Nor calls of hooks, nor questions who else runs: that is only being found out, and the plugin would fail to start.
        """

    @abstractmethod
    def cleanup(self) -> None:
        """Let go of what `initialize` took. No database: no tenant is current here. Not promised after the process was killed."""

    def on_enable(self) -> None:  # noqa: B027  # optional on purpose
        """Once when a tenant enables the plugin, inside the enabling transaction."""

    def on_disable(self) -> None:  # noqa: B027  # optional on purpose
        """Once when a tenant disables the plugin, inside the disabling transaction. Settings and data stay."""

    def on_purge(self) -> None:  # noqa: B027  # optional on purpose
        """Once before the plugin's tables are dropped, inside the transaction."""

    def nav_items(self) -> Sequence[NavItem]:
        """Entries for the tenant's navigation."""
        return ()

    def dashboard_panels(self) -> Sequence[Panel]:
        """Panels for the tenant's dashboard."""
        return ()

    def banners(self, request: HttpRequest) -> Sequence[Banner]:
        """What to show above every page of the tenant to the person who asks, five at most; `request.user` is signed in.

        It is asked for each page: one query at most, and no writes.
        """
        return ()

    def export_person(self, person: Person) -> Any:
        """What this plugin keeps of `person`, in what JSON can hold (and dates, decimals, UUIDs): a list of rows, or a dictionary.

        It is for them to read, so leave out secrets, and other people's data. Called inside the tenant if it has ever enabled the
        plugin, whether the plugin runs now or not: `initialize` was not called, and `settings` is empty.

        Returns:
            None, or something empty, if nothing is kept; what a plugin without data about people need not say.
        """
        return None

    def erase_person(self, person: Person) -> int:
        """Delete what this plugin keeps of `person`, or take out of it what says who it was.

        Called as `export_person`, inside the transaction that erases, before the account itself is deleted. What the plugin has to
        keep is said in `keeps_of_people`. An error undoes the whole erasure.

        Returns:
            The number of rows that were deleted or changed.
        """
        return 0

    def check(self, config: dict[str, Any]) -> CheckResult:
        """Try `config` against the outside world, for "Test connection". Overriding it makes the button appear."""
        raise NotImplementedError(f"{type(self).__name__} has nothing to test; override check() to offer it.")

    @cached_property
    def log(self) -> logging.Logger:
        """A logger named after the plugin."""
        return logging.getLogger(f"plugins.{self.name}")

    @property
    def http(self) -> HttpClient:
        """The guarded HTTP client: public addresses only, one deadline for everything, no redirects."""
        return HttpClient(_runtime.runtime().network_policy())

    @property
    def smtp(self) -> SmtpClient:
        """The guarded SMTP client, under the same rules."""
        return SmtpClient(_runtime.runtime().network_policy())
