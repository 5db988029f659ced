"""What the platform owes its tenants by the clock."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.utils import timezone

from plugin_framework.delivery import house, schedule
from plugin_framework.delivery.models import Schedule
from plugin_framework.tenancy import current_tenant, public_scope
from tenants import fleet
from tenants.fleet import Options
from tests.support.queue import work_off


@pytest.mark.usefixtures("committed_db", "tenants")
def test_a_job_of_the_platform_is_owed_to_every_tenant_or_to_its_own_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    monkeypatch.setattr(house, "_handlers", dict(house._handlers))
    monkeypatch.setattr(house, "_schedules", dict(house._schedules))
    house.register("tidy", lambda: ran.append(f"tidy {current_tenant().slug}"), cron="0 4 * * *")
    house.register("count", lambda: ran.append(f"count {current_tenant().slug}"), cron="0 5 * * *", platform_only=True)
    list(fleet.migrate_tenants(fleet.plan(Options()), Options()))
    with public_scope():
        Schedule.objects.update(run_at=timezone.now(), due_at=timezone.now())
        Schedule.objects.exclude(job__in=("tidy", "count")).delete()
    with public_scope(), transaction.atomic():
        schedule.run_due()
    work_off()
    assert sorted(ran) == ["count admin", "tidy acme", "tidy admin", "tidy globex"]
