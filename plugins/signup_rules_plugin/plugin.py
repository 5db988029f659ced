"""The plugin's class: it is asked about each person who registers, and says no by a veto."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext

from plugin_framework.sdk import ConfigurablePlugin, Veto, hook
from plugins.signup_rules_plugin.rules import Rules, faults
from plugins.signup_rules_plugin.schema import MESSAGE, config_schema


class SignupRulesPlugin(ConfigurablePlugin):
    """Lets people register by the domain of their e-mail address."""

    name, version = "signup_rules", "1.0.0"
    title: ClassVar[str] = "Sign-up rules"
    description = "Decide by their e-mail domain who may register with your organisation."
    category: ClassVar[str] = "People"
    icon: ClassVar[str] = "key"
    details: ClassVar[str] = (
        "Whoever may not register is told why, in your own words, and no account is made. The people you invite are asked the "
        "same; those who have an account already are left alone. While the plugin does not run, everybody can register."
    )
    reads: ClassVar[tuple[str, ...]] = ("The e-mail address that somebody wants to register with",)
    changelog: ClassVar[tuple[tuple[str, str, str], ...]] = (
        (
            "1.0.0",
            "2026-11-23",
            "Lists of domains and addresses that may register, or may not, and your own words for those who may not.",
        ),
    )

    def get_config_schema(self) -> dict[str, Any]:
        """The lists, and what to tell those who may not."""
        return config_schema()

    def validate_config(self, config: dict[str, Any]) -> list[str]:
        """Each entry is a domain or an address, there is at least one rule, and no rule contradicts another."""
        return faults(config)

    def initialize(self, config: dict[str, Any]) -> None:
        """Fold the lists once, so that asking is quick."""
        self._rules = Rules.of(config)
        self._message = str(config["message"])

    def cleanup(self) -> None:
        """Nothing is held."""

    @hook("user_registering")
    def judge_address(self, email: str) -> None:
        """Veto whoever the rules do not admit."""
        if not self._rules.admit(email):
            domain = email.rpartition("@")[2]
            self.log.info("Somebody at %r may not register", domain)
            message = gettext(MESSAGE) if self._message == MESSAGE else self._message
            raise Veto(message.replace("{{domain}}", domain))
