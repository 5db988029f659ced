"""The settings of the e-mail plugin, as JSON Schema."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop

SERVER, SENDER, WELCOME, ORDER = "Mail server", "Sender", "Welcome mail", "Order confirmation"
_ONE_LINE = r"^[^\r\n]*$"
_PLACEHOLDERS = (
    "You can use {words}. Left as it is, it goes out in the recipient’s language; your own goes out as you write it."
)
_WELCOME_WORDS = _PLACEHOLDERS.format(words="{{name}}, {{email}} and {{organisation}}")
_ORDER_WORDS = _PLACEHOLDERS.format(words="{{name}}, {{email}}, {{organisation}}, {{order}} (its number) and {{total}}")
# What is sent in each language as long as nobody has written anything else.
DEFAULTS = {
    "welcome_subject": gettext_noop("Welcome to {{organisation}}"),
    "welcome_text": gettext_noop(
        "Hello {{name}},\n\nyou are now registered at {{organisation}}. It is good to have you with us."
    ),
    "order_subject": gettext_noop("Your order {{order}} is confirmed"),
    "order_text": gettext_noop("Hello {{name}},\n\nthank you for your order {{order}}. We have confirmed it."),
}


def config_schema() -> dict[str, Any]:
    """A fresh copy of the schema."""
    properties = {**_server(), **_sender(), **_welcome(), **_order()}
    for position, field in enumerate(properties.values()):
        field["x-order"] = position
    return {"type": "object", "properties": properties, "required": ["smtp_host"]}


def _server() -> dict[str, Any]:
    return {
        "smtp_host": {
            "type": "string",
            "title": "Host",
            "description": "Your mail provider’s server for outgoing mail.",
            "format": "hostname",
            "minLength": 1,
            "x-placeholder": "smtp.example.com",
            "x-group": SERVER,
        },
        "smtp_port": {
            "type": "integer",
            "title": "Port",
            "description": "587 with STARTTLS, 465 with TLS.",
            "default": 587,
            "minimum": 1,
            "maximum": 65535,
            "x-group": SERVER,
        },
        "tls": {
            "type": "string",
            "title": "Encryption",
            "enum": ["starttls", "tls", "none"],
            "x-enum-labels": {"starttls": "STARTTLS (usual)", "tls": "TLS from the start", "none": "None"},
            "description": "A password is never sent without encryption.",
            "default": "starttls",
            "x-group": SERVER,
        },
        "username": {
            "type": "string",
            "title": "User name",
            "description": "Leave empty if the server wants no sign-in.",
            "maxLength": 255,
            "x-group": SERVER,
        },
        "password": {
            "type": "string",
            "title": "Password",
            "description": "Stored encrypted and never shown again.",
            "maxLength": 1000,
            "writeOnly": True,
            "x-bound-to": ["smtp_host", "smtp_port", "tls", "username"],
            "x-group": SERVER,
        },
    }


def _sender() -> dict[str, Any]:
    return {
        "sender": {
            "type": "string",
            "title": "Sender’s address",
            "description": "Where the mails come from. Left empty, it is the user name.",
            "format": "email",
            "maxLength": 254,
            "x-placeholder": "hello@example.com",
            "x-group": SENDER,
        },
        "sender_name": {
            "type": "string",
            "title": "Sender’s name",
            "description": "Left empty, it is the name of your organisation.",
            "maxLength": 100,
            "pattern": _ONE_LINE,
            "x-group": SENDER,
        },
        "reply_to": {
            "type": "string",
            "title": "Answers go to",
            "description": "Left empty, answers go to the sender.",
            "format": "email",
            "maxLength": 254,
            "x-group": SENDER,
        },
    }


def _welcome() -> dict[str, Any]:
    return {
        "send_welcome": {
            "type": "boolean",
            "title": "Welcome people who register",
            "default": True,
            "x-group": WELCOME,
        },
        "welcome_subject": _subject(DEFAULTS["welcome_subject"], _WELCOME_WORDS, WELCOME, "send_welcome"),
        "welcome_text": _text(
            DEFAULTS["welcome_text"],
            _WELCOME_WORDS,
            WELCOME,
            "send_welcome",
        ),
    }


def _order() -> dict[str, Any]:
    return {
        "send_order_confirmation": {
            "type": "boolean",
            "title": "Confirm orders to their customers",
            "description": "Takes effect while the orders plugin is enabled as well.",
            "default": True,
            "x-group": ORDER,
        },
        "order_subject": _subject(DEFAULTS["order_subject"], _ORDER_WORDS, ORDER, "send_order_confirmation"),
        "order_text": _text(
            DEFAULTS["order_text"],
            _ORDER_WORDS,
            ORDER,
            "send_order_confirmation",
        ),
    }


def _subject(default: str, words: str, group: str, switch: str) -> dict[str, Any]:
    return {
        "type": "string",
        "title": "Subject",
        "description": words,
        "default": default,
        "minLength": 1,
        "maxLength": 200,
        "pattern": _ONE_LINE,
        "x-group": group,
        "x-show-if": {switch: True},
    }


def _text(default: str, words: str, group: str, switch: str) -> dict[str, Any]:
    return {
        "type": "string",
        "title": "Text",
        "description": words,
        "default": default,
        "minLength": 1,
        "maxLength": 2000,
        "x-multiline": True,
        "x-group": group,
        "x-show-if": {switch: True},
    }
