"""JSON Schema's keywords as settings need them: where jsonschema's own ones surprise people, or take long."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from plugin_framework.config.patterns import longest


def _multiple_of(validator: Any, step: float, instance: Any, schema: Mapping[str, Any]) -> Iterator[ValidationError]:
    """In decimals, as people count: 0.3 is a multiple of 0.1, though it is none in binary."""
    if validator.is_type(instance, "number"):
        exact, size = Decimal(str(instance)), Decimal(str(step))
        # remainder_near() and % give up beyond 28 digits; a ratio of whole numbers does not.
        if (exact.as_integer_ratio()[0] * size.as_integer_ratio()[1]) % (
            exact.as_integer_ratio()[1] * size.as_integer_ratio()[0]
        ):
            yield ValidationError(f"not a multiple of {step}")


def _pattern(validator: Any, pattern: str, instance: Any, schema: Mapping[str, Any]) -> Iterator[ValidationError]:
    """A pattern is tried only on texts that it cannot take long on."""
    if validator.is_type(instance, "string") and (len(instance) > longest(pattern) or not re.search(pattern, instance)):
        yield ValidationError("does not match the pattern")


VALIDATOR: Any = extend(  # type: ignore[no-untyped-call]  # jsonschema's stubs leave it untyped
    Draft202012Validator, {"multipleOf": _multiple_of, "pattern": _pattern}
)
