"""A plugin whose handler does what the event tells it to: work, raise, hang, die; each call is noted in a file that survives it."""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from plugin_framework import lifecycle, tenancy
from plugin_framework.audit import SYSTEM
from plugin_framework.delivery import current_delivery
from plugin_framework.delivery.failpoints import failpoint
from plugin_framework.models import AuditEntry
from plugin_framework.sdk import DeadLetter, NetworkError, PluginInterface, RetryLater, cron, event, exactly_once, hook

LOG = "TENANTRY_FAULT_LOG"


def note(what: str, **more: object) -> None:
    """Append one line; a single small write is whole or absent."""
    current = current_delivery()
    assert current is not None
    line = {"note": what, "key": current.key, "attempt": current.attempt, "plugin": current.plugin, "pid": os.getpid()}
    with Path(os.environ[LOG]).open("ab", buffering=0) as file:
        file.write(json.dumps({**line, **more}).encode() + b"\n")


def attempt() -> int:
    """The number of the attempt that runs now."""
    current = current_delivery()
    assert current is not None
    return current.attempt


def post(what: dict[str, Any], key: str, attempt: int) -> None:
    """Post to the receiver in this process's environment; killed in `mid_send`, all is sent and no answer read.

    Raises:
        ConnectionError: it did not answer with success.
    """
    tenant = tenancy.current_tenant().slug
    body = json.dumps({**what, "key": key, "tenant": tenant, "attempt": attempt}).encode()
    with socket.create_connection(("127.0.0.1", int(os.environ["TENANTRY_FAULT_PORT"])), 10) as wire:
        wire.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        failpoint("mid_send")
        answer = wire.recv(1000)
    if b" 200 " not in answer:
        raise ConnectionError("The receiver refused it.")


class PosterPlugin(PluginInterface):
    """Posts each event to the receiver, as a webhook does."""

    name, version = "poster", "1.0.0"
    declares = (event("storm_work", "what", doc="Work for the storms.", when="Whenever a storm says so."),)

    def initialize(self, config: dict[str, Any]) -> None:
        pass

    def cleanup(self) -> None:
        pass

    @hook("storm_work")
    def on_work(self, what: dict[str, Any]) -> None:
        current = current_delivery()
        assert current is not None
        post(what, current.key, current.attempt)

    @hook("user_registered")
    def on_registered(self, user: Any) -> None:
        self.on_work({"row": user.email, "flaky": False})


class ClockworkPlugin(PluginInterface):
    """Has a job that is due every minute."""

    name, version = "clockwork", "1.0.0"

    def initialize(self, config: dict[str, Any]) -> None:
        pass

    def cleanup(self) -> None:
        pass

    @cron("* * * * *")
    def tick(self) -> None:
        note("tick", tenant=self.tenant.slug)


class SteadyPlugin(PluginInterface):
    """Notes that it was called."""

    name, version = "steady", "1.0.0"

    def initialize(self, config: dict[str, Any]) -> None:
        pass

    def cleanup(self) -> None:
        pass

    @hook("fault_work")
    def on_work(self, what: dict[str, Any]) -> None:
        note("begin", tenant=self.tenant.slug, n=what.get("n"))
        failpoint("mid_send")
        note("end", tenant=self.tenant.slug, n=what.get("n"), row=str(what.get("row", "")))


class FaultyPlugin(SteadyPlugin):
    """Does what it is told to."""

    name, version = "faulty", "1.0.0"
    declares = (event("fault_work", "what", doc="Work for the fault tests.", when="Whenever a test says so."),)

    def initialize(self, config: dict[str, Any]) -> None:
        start = os.environ.get("TENANTRY_FAULT_START")
        while start == "hang":
            time.sleep(1)
        if start == "exit":
            sys.exit(7)

    @hook("fault_work")
    def on_work(self, what: dict[str, Any]) -> None:
        note("begin", tenant=self.tenant.slug, n=what.get("n"))
        getattr(self, f"do_{what['do']}")(what)
        note("end", tenant=self.tenant.slug, n=what.get("n"))

    def do_ok(self, what: dict[str, Any]) -> None:
        pass

    def do_say_who_serves(self, what: dict[str, Any]) -> None:
        """Note the database session."""
        note("session", tenant=self.tenant.slug, session=connection.connection.info.backend_pid)

    def do_nap(self, what: dict[str, Any]) -> None:
        time.sleep(what["seconds"])

    def do_disable(self, what: dict[str, Any]) -> None:
        lifecycle.disable("faulty", SYSTEM)

    def do_compute(self, what: dict[str, Any]) -> None:
        """Until its priority has been lowered."""
        before = os.getpriority(os.PRIO_PROCESS, 0)
        while os.getpriority(os.PRIO_PROCESS, 0) == before:
            sum(range(1000))
        note("slowed", priority=os.getpriority(os.PRIO_PROCESS, 0))

    def do_hang(self, what: dict[str, Any]) -> None:
        while True:
            time.sleep(1)

    def do_hang_deaf(self, what: dict[str, Any]) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
        re.match(r"(a+)+$", "a" * 64 + "b")

    def do_hang_in_sql(self, what: dict[str, Any]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(600)")

    def do_os_exit(self, what: dict[str, Any]) -> None:
        os._exit(7)

    def do_sys_exit(self, what: dict[str, Any]) -> None:
        sys.exit(7)

    def do_segfault(self, what: dict[str, Any]) -> None:
        ctypes.string_at(0)

    def do_memory(self, what: dict[str, Any]) -> None:
        bytearray(8 << 30)

    def do_raise(self, what: dict[str, Any]) -> None:
        raise ZeroDivisionError("one by none\x00")

    def do_dead(self, what: dict[str, Any]) -> None:
        raise DeadLetter("The channel was deleted.")

    def do_later(self, what: dict[str, Any]) -> None:
        raise RetryLater("Busy.", after=1000)

    def do_gone(self, what: dict[str, Any]) -> None:
        raise NetworkError("The address is gone for good.", status=410, permanent=True)

    def do_leave_open(self, what: dict[str, Any]) -> None:
        transaction.atomic().__enter__()
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE left_open (id int)")

    def do_flaky(self, what: dict[str, Any]) -> None:
        if attempt() == 1:
            raise ConnectionError("not the first time")

    def do_once(self, what: dict[str, Any]) -> None:
        """Leave a row, together with the mark."""
        with exactly_once():
            AuditEntry.objects.create(actor="once", action="fault.once", target=str(what["n"]))
            failpoint("mid_send")

    def do_once_and_fail(self, what: dict[str, Any]) -> None:
        self.do_once(what)
        raise RuntimeError("after the mark")

    def do_once_too_late(self, what: dict[str, Any]) -> None:
        """Fall asleep in the block in the first attempt, until somebody else has the delivery."""
        with exactly_once():
            AuditEntry.objects.create(actor="once", action="fault.once", target=str(what["n"]))
            if attempt() == 1:
                os.kill(os.getpid(), signal.SIGSTOP)

    def do_stop(self, what: dict[str, Any]) -> None:
        """Fall asleep in the first attempt; in a later one, wait for the test's word."""
        if attempt() == 1:
            os.kill(os.getpid(), signal.SIGSTOP)
            return
        self.do_wait(what)

    def do_wait(self, what: dict[str, Any]) -> None:
        """Wait for the test's word."""
        while not Path(what["until"]).exists():
            time.sleep(0.02)
