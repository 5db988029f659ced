"""Decides by the domain of an e-mail address who may register with an organisation."""

from plugins.signup_rules_plugin.plugin import SignupRulesPlugin

__all__ = ["SignupRulesPlugin"]
