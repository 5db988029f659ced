"""A restore that is killed at any step leaves nothing; the next one finds everything as it was before."""

from __future__ import annotations

from pathlib import Path

from plugin_framework import files
from plugin_framework.audit import SYSTEM
from tenants import archive, directory, purging
from tests.faults.test_purging_survives import killed_at
from tests.faults.world import World
from tests.support.archives import shape
from tests.support.lived_in import move_in
from tests.support.orphans import orphans

PLACES = (
    "restore_schema_made",
    "restore_rows_loaded",
    "restore_brought_up",
    "restore_registered",
    "restore_files_written",
)


def test_a_restore_that_is_killed_at_every_step_is_as_if_it_had_not_been_tried(world: World, tmp_path: Path) -> None:
    lived = move_in(world.acme)
    archive.export("acme", tmp_path / "acme.zip", SYSTEM)
    schemas, tenants, folders = shape()
    for place in PLACES:
        killed_at(world, place, "restore", str(tmp_path / "acme.zip"), "--slug", "again")
        assert shape()[:2] == (schemas, tenants)
        assert orphans() == []
    assert len(shape()[2]) == len(folders) + 1  # the files of the last, which know no transactions
    assert len(purging.sweep_files()) == 1
    assert shape() == (schemas, tenants, folders)
    killed_at(world, "restore_done", "restore", str(tmp_path / "acme.zip"), "--slug", "again")
    entry = directory.by_slug("again")
    assert entry is not None
    assert [path.read_text() for _, path in files.walk(entry.ref.schema)] == [lived.canary]
    assert purging.sweep_files() == []
    assert orphans() == []
