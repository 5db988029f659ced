"""No statement of ours changes rows in a way that Citus refuses on a table that it knows of."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import plugin_framework
import plugins
import saas
import tenants as tenants_package
from plugin_framework.citus.forbidden import RULES
from plugin_framework.citus.tables import PLAIN
from plugin_framework.models.quota import TODAY
from plugin_framework.tenancy import TenantRef, tenant_scope
from tests.support.citus_rules import refusals

PLATFORM = (plugin_framework, tenants_package, saas)
CHANGES = [rule.pattern for rule in RULES if rule.name.startswith("changes rows")]
TABLES = re.compile(r"\b(?:UPDATE|DELETE\s+FROM|INSERT\s+INTO)\s+([\w.{}\"]+)", re.IGNORECASE)
WHOLE = re.compile(r"\s*(?:WITH|UPDATE|DELETE|INSERT|SELECT)\s", re.IGNORECASE)
_WORDS = {"SET", "SKIP", "NOWAIT", "OF"}  # DO UPDATE SET, FOR UPDATE SKIP LOCKED
ONE_SERVER = {"plugin_framework.delivery.folding._FOLD_ALL"}  # not sent where CITUS is on
# What is put into statements when they are sent.
PLACES = {
    "{deliveries}": "plugin_framework_delivery",
    "{attempts}": "plugin_framework_deliveryattempt",
    "{uses}": "plugin_framework_quotause",
    "{period}": TODAY,
}


def texts(*packages: ModuleType) -> Iterator[tuple[str, str]]:
    """The texts that the modules in `packages` have as constants, with module and name."""
    for package in packages:
        for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" in each.name or ".testing" in each.name or each.name.endswith((".asgi", ".wsgi")):
                continue
            for name, value in vars(importlib.import_module(each.name)).items():
                if isinstance(value, str) and not name.startswith("__"):
                    yield f"{each.name}.{name}", value


def filled(statement: str) -> str:
    """It as it is sent from within a tenant."""
    for place, what in PLACES.items():
        statement = statement.replace(place, what)
    return statement


def known_tables(statement: str) -> list[str]:
    """Of the tables whose rows it changes, those that Citus knows of."""
    tables = [name.replace('"', "").removeprefix("public.") for name in TABLES.findall(statement)]
    return [name for name in tables if name.upper() not in _WORDS and name not in PLAIN]


def test_no_text_changes_rows_that_citus_knows_of_with_what_it_refuses() -> None:
    """Parts of statements too."""
    found = [(name, text) for name, text in texts(*PLATFORM, plugins) if known_tables(text) and name not in ONE_SERVER]
    assert [name for name, text in found if any(pattern.search(text) for pattern in CHANGES)] == []


@pytest.mark.django_db
def test_no_statement_is_refused_as_postgresql_understands_it(tenants: Any) -> None:
    acme: TenantRef = tenants.acme
    found: dict[str, list[str]] = {}
    with tenant_scope(acme):
        for name, text in texts(*PLATFORM):
            if known_tables(text) and WHOLE.match(text) and name not in ONE_SERVER:
                found[name] = refusals(filled(text), PLAIN)
    assert {name: why for name, why in found.items() if why} == {}
    for module in (
        "rows._FINISH_AND_START_COUNTED",
        "rows_held._HOLD",
        "folding._FOLD",
        "schedule._WRITE",
        "retention._SWEEP",
    ):
        assert f"plugin_framework.delivery.{module}" in found


REFUSED = [
    ("UPDATE {deliveries} SET next_at = clock_timestamp()", "a volatile function"),
    ("DELETE FROM {deliveries} WHERE next_at < clock_timestamp()", "a volatile function"),
    ("WITH a AS (UPDATE {deliveries} SET attempts = (random() * 9)::int RETURNING id) SELECT 1", "a volatile function"),
    ("DELETE FROM {deliveries} WHERE id IN (SELECT id FROM {attempts} WHERE random() < 1)", "a volatile function"),
    ("UPDATE {deliveries} SET next_at = coalesce(next_at, now())", "CASE or COALESCE"),
    ("UPDATE {deliveries} SET next_at = CASE WHEN %s::int = 1 THEN statement_timestamp() END", "CASE or COALESCE"),
    ("DELETE FROM {deliveries} WHERE coalesce(next_at, current_timestamp) > %s", "CASE or COALESCE"),
    ("UPDATE {deliveries} SET next_at = next_at + make_interval(secs => %(wait)s)", "a stable function of a column"),
    ("DELETE FROM {deliveries} WHERE next_at - interval '1 day' < %s", "a stable function of a column"),
    ("DELETE FROM {deliveries} WHERE last_error::timestamptz < %s", "a stable function of a column"),
    ("UPDATE public.delivery_wake SET look_at = now() RETURNING now()", "in RETURNING"),
    (
        "INSERT INTO {uses} AS u (kind, period, used) VALUES ('a', now(), 1) "
        "ON CONFLICT (kind, period) DO UPDATE SET period = now()",
        "in ON CONFLICT",
    ),
]
TAKEN = [
    "UPDATE {deliveries} SET next_at = statement_timestamp() + make_interval(secs => %(wait)s)",
    "UPDATE {deliveries} SET state = CASE WHEN attempts > %s THEN 'dead' ELSE 'due' END, attempts = coalesce(attempts, 1)",
    "DELETE FROM {deliveries} WHERE next_at < now() - interval '1 day'",
    "INSERT INTO {uses} AS u (kind, period, used) VALUES ('a', clock_timestamp(), random()) "
    "ON CONFLICT (kind, period) DO UPDATE SET used = u.used + excluded.used",
    "UPDATE public.delivery_lane SET next_at = clock_timestamp()",  # Citus does not know of lanes
    "SELECT coalesce(next_at, clock_timestamp()) FROM {deliveries}",
]


@pytest.mark.django_db
def test_the_test_sees_what_is_refused_and_nothing_else(tenants: Any) -> None:
    acme: TenantRef = tenants.acme
    with tenant_scope(acme):
        for statement, why in REFUSED:
            assert [why in each for each in refusals(filled(statement), PLAIN)] == [True], statement
        for statement in TAKEN:
            assert refusals(filled(statement), PLAIN) == [], statement
