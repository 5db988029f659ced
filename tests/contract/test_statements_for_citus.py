"""Statements of the platform's own that Citus refuses on a table that it knows of: found, and kept to the modules that have them today."""

from __future__ import annotations

import importlib
import pkgutil
import re

import plugin_framework
import saas
import tenants
from plugin_framework.citus.forbidden import RULES
from plugin_framework.citus.tables import PLAIN

VOLATILE = next(rule.pattern for rule in RULES if "volatile" in rule.name)
TABLES = re.compile(r"\b(?:UPDATE|DELETE\s+FROM)\s+([\w.{}\"]+)", re.IGNORECASE)
_WORDS = {"SET", "SKIP", "NOWAIT", "OF"}  # DO UPDATE SET, FOR UPDATE SKIP LOCKED
# Where they are, to be written anew before events are delivered on Citus; docs/howto/scale-out-with-citus.md says how.
KNOWN = {f"plugin_framework.delivery.{name}" for name in ("lanes", "rows", "schedule")}


def refused() -> set[str]:
    """By module and name, the SQL constants that change rows of a tenant's or a registered table with a volatile function."""
    found = set()
    for package in (plugin_framework, tenants, saas):
        for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" in each.name or ".testing" in each.name or each.name.endswith((".asgi", ".wsgi")):
                continue
            module = importlib.import_module(each.name)
            for name, value in vars(module).items():
                if isinstance(value, str) and VOLATILE.search(value) and not _on_plain_tables_only(value):
                    found.add(f"{each.name}.{name}")
    return found


def _on_plain_tables_only(statement: str) -> bool:
    tables = [name.replace('"', "").removeprefix("public.") for name in TABLES.findall(statement)]
    return all(name in PLAIN for name in tables if name.upper() not in _WORDS)


def test_no_other_module_has_a_statement_that_would_be_refused() -> None:
    found = refused()
    assert {name.rpartition(".")[0] for name in found} == KNOWN, sorted(found)
