"""What a child of the worker asks while it stands by, and what is loaded before it is made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from plugin_framework.catalog import offers
from plugin_framework.db import recorded, wear
from plugin_framework.delivery import child
from plugin_framework.tenancy import no_scope, path_for, public_scope
from plugin_framework.tenancy_directory import PLATFORM
from tenants.models import Tenant
from tenants.provisioning import ensure_platform

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.django_db(transaction=True)
def test_a_rehearsal_asks_of_a_lane_and_takes_none() -> None:
    platform = ensure_platform()
    recorded.forget()
    offers.forget()
    with no_scope(), CaptureQueriesContext(connection) as queries:
        connection.close()
        child._rehearse()
    asked = [each["sql"] for each in queries]
    assert path_for(platform.schema) in wear.paths_of(connection.connection)
    assert any("catalog_catalogentry" in sql for sql in asked)
    assert not [sql for sql in asked if sql.split()[0] in ("INSERT", "UPDATE", "DELETE", "WITH")]


@pytest.mark.django_db
def test_without_the_platforms_own_tenant_there_is_nothing_to_rehearse_with() -> None:
    with public_scope():
        Tenant.objects.filter(schema_name=PLATFORM).delete()
    with CaptureQueriesContext(connection) as queries:
        child._rehearse()
    assert "catalog" not in str([each["sql"] for each in queries])


_FIRST_LINK = """
import sys, django
django.setup()
from django.conf import settings
from django.urls import reverse
from plugin_framework.delivery import supervisor
supervisor._load_ahead()
before = set(sys.modules)
reverse("settings:deliveries", args=["email"], urlconf=settings.ROOT_URLCONF)
print(sorted(set(sys.modules) - before))
"""


def test_what_the_first_link_in_a_mail_needs_is_loaded_before_there_are_children() -> None:
    found = subprocess.run([sys.executable, "-c", _FIRST_LINK], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.stdout.strip() == "[]", found.stderr
