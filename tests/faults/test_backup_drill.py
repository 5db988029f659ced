"""The drill of docs/operations/backup.md: a running installation is dumped, and restored on a server that has never seen it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from plugin_framework import configuration, hooks
from plugin_framework.audit import SYSTEM
from plugin_framework.sdk import ErrorReport
from plugin_framework.tenancy import tenant_scope
from saas.postgres import Cluster
from saas.postgres.binaries import bin_dir
from saas.testing.people import PASSWORD
from saas.testing.receivers import webhook_server
from saas.testing.waiting import wait_until
from tests.faults.world import World
from tests.support.lived_in import LivedIn, move_in

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "operations" / "backup.md"


@pytest.fixture
def fresh() -> Iterator[Cluster]:
    """Another server, with nothing in it."""
    with tempfile.TemporaryDirectory(prefix="drill") as folder:
        made = Cluster(Path(folder) / "postgres", durable=False)
        made.start()
        yield made
        made.delete()


def run(program: str, *arguments: str) -> None:
    done = subprocess.run([bin_dir() / program, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def looked_at(world: World, lived: LivedIn, **environment: str) -> dict[str, object]:
    """What a process sees in the installation that `environment` names."""
    started = world.run("-m", "tests.faults.drill", lived.owner, PASSWORD, **environment)
    assert started.process.wait(timeout=120) == 0, started.text
    found: dict[str, object] = json.loads(started.text.splitlines()[-1])
    return found


def test_a_backup_brings_everything_back_on_another_server_and_without_the_keys_the_secrets_are_lost(
    world: World, fresh: Cluster, tmp_path: Path
) -> None:
    with webhook_server() as receiver:
        lived = move_in(world.acme)
        receiver.path = f"/services/T0/B0/{lived.canary}"
        with tenant_scope(world.acme):
            configuration.configure("slack_notifications", SYSTEM, {}, secrets={("webhook_url",): receiver.url})
            hooks.emit(
                "system_error", ErrorReport(f"pending {lived.canary}", "E", "x", "/", "f", "2026-01-01T00:00:00Z")
            )
        run("pg_dump", "--format=custom", "--file", str(tmp_path / "tenantry.dump"), world.url)
        shutil.copytree(settings.MEDIA_ROOT, tmp_path / "backup")

        run("pg_restore", "--no-owner", "--exit-on-error", "--dbname", fresh.url(), str(tmp_path / "tenantry.dump"))
        there = {"DATABASE_URL": fresh.url(), "MEDIA_ROOT": str(tmp_path / "backup")}
        assert looked_at(world, lived, **there) == {
            "signed in": True,
            "opens": True,
            "slack": "",
            "files": [lived.canary],
        }

        assert not receiver.posts
        world.worker(**there)
        arrived = f"pending {lived.canary}"
        wait_until(lambda: arrived in str([post.body for post in receiver.posts]), seconds=120, what="the delivery")

        lost = looked_at(world, lived, **there, SECRETS_KEYS="another key with which nothing here was sealed")
        assert (lost["signed in"], lost["opens"]) == (True, False)
        assert "Enter it again" in str(lost["slack"])
        status = world.run("manage.py", "keys", "status", "--json", **there, SECRETS_KEYS="z" * 40)
        assert status.process.wait(timeout=120) == 0
        assert '"none of these"' in status.text


def test_the_guide_says_what_the_drill_does() -> None:
    text = GUIDE.read_text()
    for word in ("pg_dump --format=custom", "pg_restore", "MEDIA_ROOT", "SECRETS_KEYS", "SECRET_KEY", "keys status"):
        assert word in text
    assert re.search(r"without .SECRETS_KEYS.+ lost", text, re.IGNORECASE | re.DOTALL)
