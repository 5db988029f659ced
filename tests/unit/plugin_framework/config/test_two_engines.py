"""jsonschema, which we use, and jsonschema-rs, which we do not, must agree on what a configuration is worth."""

from __future__ import annotations

import copy
import itertools
import os
from collections.abc import Callable
from random import Random

import jsonschema_rs

from plugin_framework.config import compile_schema
from plugin_framework.config.formats import FORMATS
from plugin_framework.config.schema import with_defaults
from tests.support import random_settings

CONFIGURATIONS = int(os.environ.get("CONFIGURATIONS", "1000"))
PER_SCHEMA = 5


def other_engine(document: random_settings.Node) -> jsonschema_rs.Draft202012Validator:
    """The same schema in the other engine, with the same formats: these are ours in both."""
    formats = {name: lambda text, name=name: FORMATS.conforms(text, name) for name in FORMATS.checkers}
    return jsonschema_rs.Draft202012Validator(document, formats=formats, validate_formats=True, offline=True)


def test_two_engines_agree_on_every_configuration(counted: Callable[[str, int], None]) -> None:
    agreed = {True: 0, False: 0}
    for number in itertools.count():
        if sum(agreed.values()) >= CONFIGURATIONS:
            break
        chance = Random(number)
        document = random_settings.schema(chance)
        schema, other = compile_schema(document), other_engine(document)
        for config in [random_settings.configuration(chance, document) for _ in range(PER_SCHEMA)]:
            if isinstance(config, dict):
                checked = schema.validate(config)
                fits = other.is_valid(with_defaults(document, copy.deepcopy(config)))
                assert fits == (not checked.errors), f"number {number}: {document} {config} {checked.errors}"
                agreed[fits] += 1
    assert min(agreed.values()) > CONFIGURATIONS / 10, "both kinds must be among them"
    counted("configurations on which both agree", sum(agreed.values()))
    counted("of these refused by both", agreed[False])
