"""Storage and a plan's limit: reservations never add up to more, what is measured counts, and only new files are refused."""

from __future__ import annotations

import io
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import connection, transaction

from plugin_framework import files, quotas
from plugin_framework.delivery import schedule
from plugin_framework.delivery.models import Schedule
from plugin_framework.models import QuotaUse
from plugin_framework.quotas import Kind, Level, QuotaExceeded, storage
from plugin_framework.sdk import NoTenant
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from tests.conftest import Tenants
from tests.support.plans import limit

AT_ONCE = 32
MB = 1024 * 1024


@pytest.fixture(autouse=True)
def without_tables(tenants: Tenants) -> None:
    """As if the tables took no room: what is left are the files."""
    for tenant in (tenants.acme, tenants.globex):
        with tenant_scope(tenant):
            QuotaUse.objects.create(kind="tables", period="1970-01-01")


def at_once(tenant: TenantRef, size: int) -> Counter[str]:
    start = Barrier(AT_ONCE)

    def reserve(number: int) -> str:
        try:
            with tenant_scope(tenant):
                connection.ensure_connection()
                start.wait(60)
                quotas.reserve_storage(size)
        except QuotaExceeded:
            return "refused"
        finally:
            connection.close()
        return "kept"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(reserve, range(AT_ONCE)))


def test_of_many_files_at_once_as_many_are_kept_as_there_is_room_for(committed_db: str, tenants: Tenants) -> None:
    limit(tenants.acme, storage=10 * MB + 1)
    assert at_once(tenants.acme, MB) == {"kept": 10, "refused": AT_ONCE - 10}
    with tenant_scope(tenants.acme):
        assert quotas.usage(Kind.STORAGE).used == 10 * MB
    with tenant_scope(tenants.globex):
        assert quotas.usage(Kind.STORAGE).used == 0


def test_what_is_rolled_back_or_removed_makes_room(tenants: Tenants) -> None:
    limit(tenants.acme, storage=10)
    with tenant_scope(tenants.acme):
        with transaction.atomic():
            quotas.reserve_storage(10)
            transaction.set_rollback(True)
        quotas.reserve_storage(7)
        with pytest.raises(QuotaExceeded, match="plan, Small, includes 10"):
            quotas.reserve_storage(4)
        with pytest.raises(QuotaExceeded):
            quotas.check(4)
        quotas.release_storage(1)
        quotas.check(4)
        quotas.reserve_storage(4)
        assert quotas.usage(Kind.STORAGE).level is Level.FULL
        quotas.release_storage(99)
        assert quotas.usage(Kind.STORAGE).used == 0, "never less than nothing"


def test_tables_are_measured_and_count_and_a_tenant_over_its_limit_still_writes_rows(tenants: Tenants) -> None:
    limit(tenants.acme, storage=MB // 2)
    with tenant_scope(tenants.acme):
        quotas.reserve_storage(1)
        storage.measure()
        usage = quotas.usage(Kind.STORAGE)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_total_relation_size('plugin_framework_delivery')")
            assert usage.used > cursor.fetchone()[0]
        assert usage.level is Level.OVER
        QuotaUse.objects.filter(kind="tables").delete()
        assert quotas.usage(Kind.STORAGE).used >= usage.used, "not only from the first time on that the clock comes by"
        with pytest.raises(QuotaExceeded):
            quotas.reserve_storage(1)
        assert QuotaUse.objects.get(kind="storage").told == 100


def test_a_file_takes_its_room_and_gives_it_back(tenants: Tenants) -> None:
    limit(tenants.acme, storage=10)
    with tenant_scope(tenants.acme):
        name = default_storage.save("orders/x.txt", ContentFile(b"7 bytes"))
        with pytest.raises(QuotaExceeded):
            default_storage.save("orders/x.txt", ContentFile(b"4 by"))
        assert [each for each, _ in files.walk(tenants.acme.schema)] == [name]
        assert quotas.usage(Kind.STORAGE).used == 7
        default_storage.delete(name)
        default_storage.delete(name)
        assert quotas.usage(Kind.STORAGE).used == 0


class Stream(io.RawIOBase):
    """Content that does not know its size beforehand."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        given, self._data = self._data, b""
        return given


def test_a_file_that_turns_out_too_large_is_not_kept(tenants: Tenants) -> None:
    limit(tenants.acme, storage=10)
    with tenant_scope(tenants.acme):
        with pytest.raises(QuotaExceeded):
            default_storage.save("orders/x.txt", File(Stream(b"eleven byte")))
        assert list(files.walk(tenants.acme.schema)) == []
        default_storage.save("orders/x.txt", File(Stream(b"ten bytes.")))
        assert quotas.usage(Kind.STORAGE).used == 10


def test_a_file_that_could_not_be_written_takes_no_room(tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        with pytest.raises(SuspiciousFileOperation):
            default_storage.save("../x.txt", ContentFile(b"7 bytes"))
        assert quotas.usage(Kind.STORAGE).used == 0


def test_the_count_of_files_is_put_right_by_looking(tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        default_storage.save("orders/x.txt", ContentFile(b"7 bytes"))
        quotas.reserve_storage(1000)
        storage.measure()
        assert QuotaUse.objects.get(kind="files").used == 7


def test_every_tenant_is_measured_by_the_clock(tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        schedule.sync()
    with public_scope():
        found = Schedule.objects.get(tenant_schema=tenants.acme.schema, job=storage.MEASURE)
    assert found.expression == storage.AT


def test_a_size_below_zero_is_a_mistake_and_no_tenant_is_one_too(tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        for change in (quotas.reserve_storage, quotas.release_storage):
            with pytest.raises(ValueError, match="cannot have -1 bytes"):
                change(-1)
    with pytest.raises(NoTenant):
        quotas.reserve_storage(1)
