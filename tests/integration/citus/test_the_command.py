"""`manage.py citus`: on a plain PostgreSQL one clear sentence; before a stand-in for Citus, what is asked of it and how it is told."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from plugin_framework.audit import SYSTEM
from plugin_framework.citus import cluster
from plugin_framework.citus.tables import REGISTERED
from plugin_framework.db.schemas import create_schema
from tenants import fleet
from tenants.names import new_schema_name
from tenants.provisioning import create_tenant
from tests.conftest import Tenants
from tests.support import citus_stand_in


def _said(action: str, *options: str) -> str:
    out = io.StringIO()
    call_command("citus", action, *options, stdout=out)
    return out.getvalue()


def _status() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_said("status", "--json"))
    return found


@pytest.fixture
def stand_in(committed_db: str, tenants: Tenants) -> Tenants:
    citus_stand_in.install()
    return tenants


@pytest.mark.django_db
@pytest.mark.parametrize("action", ["prepare", "status"])
def test_on_a_plain_postgresql_it_says_so_in_a_sentence(tenants: Tenants, action: str) -> None:
    with pytest.raises(CommandError, match=r"^This database has no Citus\. .*CREATE EXTENSION citus"):
        _said(action)


def test_prepare_registers_what_takes_part_and_again_nothing(stand_in: Tenants) -> None:
    assert _status()["not_registered"] == [*REGISTERED]
    said = _said("prepare")
    assert all(table in said for table in REGISTERED)
    assert "CITUS is off" in said
    assert citus_stand_in.asked() == [f"register {table} t" for table in REGISTERED]
    assert "was registered already" in _said("prepare")
    assert len(citus_stand_in.asked()) == len(REGISTERED)
    assert _status()["not_registered"] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "UPDATE pg_catalog.pg_extension SET extversion = '11.3-1' WHERE extname = 'citus'",
            r"12\.1 or later is needed",
        ),
        ("UPDATE pg_catalog.pg_dist_local_group SET groupid = 7", "lead to the coordinator"),
        ("DELETE FROM pg_catalog.pg_dist_node WHERE groupid = 0", "citus_set_coordinator_host"),
    ],
)
def test_a_cluster_that_cannot_be_used_is_refused_with_the_remedy(stand_in: Tenants, change: str, said: str) -> None:
    with citus_stand_in.server() as raw:
        raw.execute(change)
    with pytest.raises(CommandError, match=said):
        _said("prepare")
    assert citus_stand_in.asked() == []


def test_the_setting_is_on_for_the_tenants_schema_alone(stand_in: Tenants, settings: LazySettings) -> None:
    settings.CITUS = True
    ours = new_schema_name()
    with transaction.atomic(), connection.cursor() as cursor:
        create_schema(ours)
        cursor.execute("CREATE SCHEMA of_a_monitoring_tool")
    assert cluster.status([ours, "of_a_monitoring_tool"]).not_spread == ("of_a_monitoring_tool",)


def test_a_new_organisation_is_spread_and_told_apart_from_those_that_are_not(
    stand_in: Tenants, settings: LazySettings
) -> None:
    settings.CITUS = True
    ref = create_tenant("initech", "Initech", SYSTEM)
    found = _status()
    assert found["places"] == {ref.schema: "worker1:5432"}
    assert ref.schema not in found["not_spread"]
    assert stand_in.acme.schema in found["not_spread"]
    assert [node["schemas"] for node in found["nodes"]] == [0, 1]
    text = _said("status")
    assert f"acme ({stand_in.acme.schema})" in text
    assert "initech" not in text


def test_a_process_does_not_start_before_the_tables_are_registered(stand_in: Tenants) -> None:
    with pytest.raises(cluster.CitusError, match=r"events could be lost\. Run manage\.py citus prepare"):
        cluster.refuse_unprepared()
    cluster.prepare()
    cluster.refuse_unprepared()


def test_migrating_registers_what_a_release_has_brought(stand_in: Tenants, settings: LazySettings) -> None:
    settings.CITUS = True
    fleet.migrate_public()
    assert citus_stand_in.asked() == [f"register {table} t" for table in REGISTERED]
