"""A compiled schema: validates configurations, applies defaults, and knows which values are secrets and where these go."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jsonschema.exceptions import ValidationError
from referencing import Registry

from plugin_framework.config import conditions, lint
from plugin_framework.config.errors import FieldError
from plugin_framework.config.formats import FORMATS
from plugin_framework.config.keywords import VALIDATOR
from plugin_framework.config.limits import problem_with
from plugin_framework.config.messages import field_errors
from plugin_framework.config.references import resolved
from plugin_framework.sdk._words import Phrase, Sentence, in_field

_TOO_DEEP = Phrase("Is nested too deeply.")
_ENTRY = Phrase("Entry %(number)s")
HIDDEN = "•••"
UNDECIDED = "x-undecided"  # ours alone: a yes or no that may also be neither
type Path = tuple[str, ...]
type Config = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Checked:
    """A configuration with defaults applied, and all that is wrong with it."""

    config: Config
    errors: tuple[FieldError, ...]


@dataclass(frozen=True, slots=True)
class ConfigSchema:
    """One plugin's schema, checked and with references resolved; made by `compile_schema`, once per class."""

    document: Mapping[str, Any]
    free_form: bool = False  # the plugin has no schema: one JSON object
    secret_paths: tuple[Path, ...] = ()
    _validator: Any = field(default=None, repr=False, compare=False)

    @property
    def properties(self) -> Mapping[str, Mapping[str, Any]]:
        """The top-level properties by name."""
        found: Mapping[str, Mapping[str, Any]] = self.document.get("properties", {})
        return found

    def keeps(self, key: str) -> bool:
        """Whether a saved top-level `key` that a new configuration does not mention stays: an upgrade must not delete settings.

        A schema that allows no other keys could never be met again, so there they go with the next save.
        """
        return key not in self.properties and self.document.get("additionalProperties", True) is not False

    def at(self, path: Path) -> Mapping[str, Any]:
        """The schema of the property at `path`."""
        node: Mapping[str, Any] = self.document
        for name in path:
            node = node.get("properties", {}).get(name, {})
        return node

    def labels(self, path: tuple[str | int, ...]) -> tuple[Sentence, ...]:
        """What people read for the field at `path` and for the groups and rows it stands in, outermost first."""
        node: Mapping[str, Any] = self.document
        found: list[Sentence] = []
        for step in path:
            if isinstance(step, int):
                node = node.get("items", {})
                found.append(_ENTRY(number=step + 1))
                continue
            node = node.get("properties", {}).get(step, {})
            found.append(Sentence(str(node.get("title") or readable(step))))
        return tuple(found)

    def sentence(self, error: FieldError) -> Sentence:
        """What is wrong, behind the label of its field as the form has it; both are said in the reader's language."""
        words = error.words if isinstance(error.words, Sentence) else Sentence(error.words)
        for label in reversed(self.labels(error.path)):
            words = in_field(label, words)
        return words

    def validate(self, config: Mapping[str, Any]) -> Checked:
        """Check `config` as a whole. Never raises for what is in it; keys the schema does not know are kept."""
        if problem := problem_with(config):
            return Checked({}, (FieldError((), problem),))
        filled = with_defaults(self.document, copy.deepcopy(dict(config)))
        try:
            found: list[ValidationError] = list(self._validator.iter_errors(filled))
        except RecursionError:
            return Checked(filled, (FieldError((), _TOO_DEEP()),))
        errors = dict.fromkeys(each for error in found for each in field_errors(error))
        return Checked(filled, tuple(errors))

    def partial(self) -> ConfigSchema:
        """The same fields with none required and no defaults: for values that lie under others, such as the platform's."""
        document = _partial(self.document)
        return ConfigSchema(document, self.free_form, self.secret_paths, _validator(document))

    def bound_fields(self, path: Path) -> tuple[Path, ...]:
        """The fields that say where the secret at `path` is sent."""
        return tuple(tuple(name.split(".")) for name in self.at(path).get("x-bound-to", ()))

    def split(self, config: Mapping[str, Any]) -> tuple[Config, dict[Path, str]]:
        """`config` without its secrets, and the plain secrets by path."""
        public, secrets = copy.deepcopy(dict(config)), {}
        for path in self.secret_paths:
            parent: Any = public
            for name in path[:-1]:
                parent = parent.get(name, {}) if isinstance(parent, dict) else {}
            if isinstance(parent, dict) and path[-1] in parent:
                value = parent.pop(path[-1])
                if isinstance(value, str):
                    secrets[path] = value
        return public, secrets

    def redact(self, config: Mapping[str, Any]) -> Config:
        """`config` fit to be shown: secrets, and whatever the schema does not know, are hidden."""
        return _redact(self.document, config)


def readable(name: str) -> str:
    """The label of a field without a title: its name, as people write."""
    return name.replace("_", " ").capitalize()


def compile_schema(document: Mapping[str, Any]) -> ConfigSchema:
    """Check `document` and make it ready for use.

    Raises:
        SchemaError: it is not JSON Schema 2020-12, or outside of the subset that the form supports.
    """
    flat = resolved(document)
    lint.check(flat)
    secrets = tuple(path for path, node in lint.properties(flat, ()) if node.get("writeOnly"))
    return ConfigSchema(flat, secret_paths=secrets, _validator=_validator(flat))


def _validator(document: Mapping[str, Any]) -> Any:
    # An empty registry: jsonschema would otherwise fetch remote references, even from files.
    return VALIDATOR(document, registry=Registry(), format_checker=FORMATS)


def with_defaults(node: Mapping[str, Any], config: Config) -> Config:
    """Fill in the defaults of `node`'s properties, through nested objects, in place."""
    for name, inner in node.get("properties", {}).items():
        if name not in config and "default" in inner:
            config[name] = copy.deepcopy(inner["default"])
        elif name not in config and inner.get("type") == "object":
            nested = with_defaults(inner, {})
            # A group that may be left out stays out, unless its defaults alone make it whole.
            if nested and (name in node.get("required", ()) or _is_whole(inner, nested)):
                config[name] = nested
        elif isinstance(config.get(name), dict) and inner.get("type") == "object":
            with_defaults(inner, config[name])
    return config


def _is_whole(node: Mapping[str, Any], config: Config) -> bool:
    """Whether nothing that `node` requires is missing, at any depth."""
    inside = ((node.get("properties", {}).get(name, {}), value) for name, value in config.items())
    return config.keys() >= set(node.get("required", ())) and all(
        _is_whole(inner, value) for inner, value in inside if inner.get("type") == "object"
    )


def _redact(node: Mapping[str, Any], config: Mapping[str, Any]) -> Config:
    shown: Config = {}
    for name, value in config.items():
        inner = node.get("properties", {}).get(name)
        if inner is None or inner.get("writeOnly"):
            shown[name] = HIDDEN
        elif inner.get("type") == "object" and isinstance(value, Mapping):
            shown[name] = _redact(inner, value)
        elif inner.get("type") == "array" and isinstance(value, list):
            shown[name] = [_redact(inner["items"], each) if isinstance(each, Mapping) else each for each in value]
        else:
            shown[name] = value
    return shown


def _partial(node: Mapping[str, Any]) -> dict[str, Any]:
    """`node` without what makes a whole; a yes or no becomes a yes, no or neither, on which nothing can depend."""
    whole = {"required", "default", "minProperties", conditions.KEYWORD}
    without = {key: value for key, value in node.items() if key not in whole}
    if node.get("type") == "boolean":
        without[UNDECIDED] = True
    if "properties" in node:
        without["properties"] = {name: _partial(inner) for name, inner in node["properties"].items()}
    if "default" in node and isinstance(node["default"], str | int | float) and not isinstance(node["default"], bool):
        without["x-placeholder"] = str(node["default"])
    return without


FREE_FORM = ConfigSchema({"type": "object"}, free_form=True, _validator=_validator({"type": "object"}))
