"""The settings of the invoices plugin, as JSON Schema."""

from __future__ import annotations

from typing import Any

SELLER, TERMS, TAX = "Your organisation", "Each invoice", "Tax"
_ONE_LINE = r"^[^\r\n]*$"


def config_schema() -> dict[str, Any]:
    """A fresh copy of the schema."""
    properties = {**_seller(), **_terms(), **_tax()}
    for position, field in enumerate(properties.values()):
        field["x-order"] = position
    # The address is required, because an invoice that was made without it could not be mended.
    return {"type": "object", "properties": properties, "required": ["seller_address"]}


def _seller() -> dict[str, Any]:
    return {
        "seller_name": {
            "type": "string",
            "title": "Name",
            "description": "Who sells, as the register has it. Left empty, it is the name of your organisation.",
            "maxLength": 200,
            "pattern": _ONE_LINE,
            "x-group": SELLER,
        },
        "seller_address": {
            "type": "string",
            "title": "Address",
            "description": "Printed at the top, as you enter it here.",
            "minLength": 1,
            "maxLength": 500,
            "x-multiline": True,
            "x-placeholder": "1 Rocket Road\n12345 Acmetown",
            "x-group": SELLER,
        },
        "seller_tax_id": {
            "type": "string",
            "title": "VAT id",
            "description": "Or another number that the tax office knows you by.",
            "maxLength": 100,
            "pattern": _ONE_LINE,
            "x-group": SELLER,
        },
    }


def _terms() -> dict[str, Any]:
    return {
        "prefix": {
            "type": "string",
            "title": "In front of the number",
            "description": "Numbers go on by one whatever stands here: INV-00001, INV-00002.",
            "default": "INV-",
            "maxLength": 20,
            "pattern": _ONE_LINE,
            "x-group": TERMS,
        },
        "due_days": {
            "type": "integer",
            "title": "Days until payment is due",
            "default": 14,
            "minimum": 0,
            "maximum": 365,
            "x-group": TERMS,
        },
        "footer": {
            "type": "string",
            "title": "At the foot",
            "description": "Your bank account, say, or a word of thanks.",
            "maxLength": 1000,
            "x-multiline": True,
            "x-group": TERMS,
        },
    }


def _tax() -> dict[str, Any]:
    return {
        "tax_rate": {
            "type": "number",
            "title": "Rate in percent",
            "description": "The prices of orders include it; the invoice says how much it is. 0: no tax is shown.",
            "default": 0,
            "minimum": 0,
            "maximum": 100,
            "multipleOf": 0.01,
            "x-group": TAX,
        },
        "tax_name": {
            "type": "string",
            "title": "What it is called",
            "default": "VAT",
            "minLength": 1,
            "maxLength": 40,
            "pattern": _ONE_LINE,
            "x-group": TAX,
        },
    }
