"""What a tenant's settings say about an address: made once, asked for each person who registers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from plugin_framework.sdk import Phrase
from plugins.signup_rules_plugin.domains import NoDomain, folded, folded_address, with_parents

# Phrases: why a plugin needs setup is kept, for readers of other languages too.
_NO_DOMAIN = Phrase("“%(entry)s” is not a domain. Write it like example.com.")
_NO_ADDRESS = Phrase("“%(entry)s” is not an address. Write it like name@example.com.")
_BOTH = Phrase("%(domain)s is both allowed and blocked. Remove it from one of the lists.")
_UNDER = Phrase(
    "%(domain)s is allowed, but it is under a blocked domain, so nobody could use it. Remove one of the two."
)


@dataclass(frozen=True, slots=True)
class Rules:
    """Who may register.

    Attributes:
        allowed: domains whose people may; none at all means everybody who is not blocked.
        blocked: domains whose people may not, nor those of the domains below them; stronger than `allowed`.
        subdomains: whether the domains below an allowed one are allowed as well.
        addresses: people who may all the same; stronger than `blocked`.
    """

    allowed: frozenset[str] = frozenset()
    blocked: frozenset[str] = frozenset()
    subdomains: bool = False
    addresses: frozenset[str] = frozenset()

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Rules:
        """The rules of valid settings.

        Raises:
            NoDomain: an entry is none; `faults` says which.
        """
        return cls(
            frozenset(map(folded, config.get("allowed_domains") or ())),
            frozenset(map(folded, config.get("blocked_domains") or ())),
            bool(config.get("allow_subdomains")),
            frozenset(map(folded_address, config.get("allowed_addresses") or ())),
        )

    def admit(self, address: str) -> bool:
        """Whether somebody with this address may register. Never raises: whatever cannot be judged may not."""
        try:
            known = folded_address(address)
        except NoDomain:
            return False
        if known in self.addresses:
            return True
        domains = list(with_parents(known.rpartition("@")[2]))
        if not self.blocked.isdisjoint(domains):
            return False
        return not self.allowed or not self.allowed.isdisjoint(domains if self.subdomains else domains[:1])


def faults(config: Mapping[str, Any]) -> list[str]:
    """What is wrong with settings whose fields are all right by themselves, in sentences."""
    allowed, blocked = config.get("allowed_domains") or (), config.get("blocked_domains") or ()
    strange = [
        *(str(_NO_DOMAIN(entry=entry)) for entry in _unfit(folded, (*allowed, *blocked))),
        *(str(_NO_ADDRESS(entry=entry)) for entry in _unfit(folded_address, config.get("allowed_addresses") or ())),
    ]
    if strange:
        return strange
    if not allowed and not blocked:
        return [_("Enter at least one domain, allowed or blocked. With neither there is no rule to go by.")]
    rules = Rules.of(config)
    return [
        str((_BOTH if domain in rules.blocked else _UNDER)(domain=domain))
        for domain in sorted(rules.allowed)
        if not rules.blocked.isdisjoint(with_parents(domain))
    ]


def _unfit(fold: Callable[[str], str], entries: Iterable[str]) -> list[str]:
    found = []
    for entry in entries:
        try:
            fold(entry)
        except NoDomain:
            found.append(entry)
    return found
