"""Jobs whose times, as another version of a plugin has put them down, cannot be read here: named, and in nobody's way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from plugin_framework import lifecycle, tenancy_directory
from plugin_framework.audit import SYSTEM
from plugin_framework.delivery import census, schedule
from plugin_framework.delivery.models import Schedule
from plugin_framework.models import Delivery
from plugin_framework.sdk import PluginInterface, hourly
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from saas.testing.people import person
from tests.conftest import Tenants
from tests.dummies import pages

ODD = "every full moon"


class Clockwork(PluginInterface):
    """Has two jobs."""

    name, version, title = "clockwork", "1.0.0", "Clockwork"

    def initialize(self, config: dict[str, Any]) -> None:
        pass

    def cleanup(self) -> None:
        pass

    @hourly(minute=5)
    def chime(self) -> None: ...

    @hourly(minute=10)
    def howl(self) -> None: ...


@pytest.fixture
def both(tenants: Tenants) -> Iterator[Tenants]:
    """Both jobs are due in both organisations, and the times of one cannot be read."""
    with pages.installed(Clockwork):
        for ref in (tenants.acme, tenants.globex):
            with tenant_scope(ref):
                lifecycle.enable("clockwork", SYSTEM)
        with public_scope():
            now = timezone.now()
            Schedule.objects.filter(plugin="clockwork").update(due_at=now, run_at=now)
            Schedule.objects.filter(job="howl").update(expression=ODD)
        yield tenants


def run_due() -> int:
    with public_scope(), transaction.atomic():
        return schedule.run_due()


def written(ref: TenantRef) -> list[str]:
    with tenant_scope(ref):
        return list(Delivery.objects.filter(plugin="clockwork").values_list("handler", flat=True))


def test_the_others_are_written_and_the_log_names_plugin_job_and_organisations(
    both: Tenants, caplog: pytest.LogCaptureFixture
) -> None:
    with public_scope():
        due_at = Schedule.objects.filter(job="howl").values_list("due_at", flat=True)[0]
    assert run_due() == 4
    assert [written(ref) for ref in (both.acme, both.globex)] == [["chime"], ["chime"]]
    (said,) = [entry for entry in caplog.records if entry.levelname == "ERROR"]
    for part in ("clockwork.howl does not run", both.acme.schema, both.globex.schema, ODD, "migrate_tenants"):
        assert part in said.getMessage()
    assert run_due() == 0
    with public_scope():
        for row in Schedule.objects.filter(job="howl"):
            assert row.due_at == due_at, "whoever can read its times makes up for it"
            assert row.run_at - timezone.now() > timedelta(minutes=9)


def test_a_version_whose_times_can_be_read_lets_it_run_again(both: Tenants) -> None:
    run_due()
    with tenant_scope(both.acme):
        schedule.sync()
    with public_scope():
        Schedule.objects.filter(tenant_schema=both.acme.schema, job="howl").update(run_at=timezone.now())
    run_due()
    assert sorted(written(both.acme)) == ["chime", "howl"]
    assert written(both.globex) == ["chime"]


def test_the_superadmin_the_admin_and_the_command_line_are_told_that_it_does_not_run(
    both: Tenants, client_for: Any
) -> None:
    assert [(each.job, each.tenants) for each in census.jobs() if not each.readable] == [("howl", 2)]
    page = client_for(both.acme, person(both.acme, "admin")).get("/settings/plugins/clockwork/").text
    assert page.count("It does not run, for its times cannot be read.") == 1
    out = StringIO()
    call_command("plugins", "jobs", "--tenant", "acme", "--plugin", "clockwork", stdout=out)
    assert out.getvalue().count("never: its times cannot be read") == 1


def test_the_superadmins_page_says_what_to_do(both: Tenants, client_for: Any) -> None:
    entry = tenancy_directory.platform()
    assert entry is not None
    page = client_for(entry.ref, person(entry.ref, "admin", "root@platform.example")).get("/health/").text
    assert "Never: its times cannot be read. Install a version" in page
