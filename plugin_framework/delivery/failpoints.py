"""Places where fault tests stop a process dead. Nothing but an empty function unless TENANTRY_FAILPOINTS was set at start.

``TENANTRY_FAILPOINTS="after_claim:kill*2,after_mark:kill_worker"``: the first two processes that come by ``after_claim`` kill
themselves; at ``after_mark`` the supervisor is killed with them. ``kill*2@10`` lets ten pass before each of the two. Further
actions: ``stop`` (SIGSTOP), ``exit`` (status 3), ``cut`` (the connection to the database breaks).
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection

_PASS, _SHOT = b".", b"!"
NAMES = (
    "before_commit",
    "after_commit",
    "after_claim",
    "before_send",
    "mid_send",
    "after_answer",
    "after_mark",
    "scheduling_retry",
    "before_release",
    "scheduling_job",
    "tenant_deleting",
    "tenant_deleted",
    "tenant_undeleting",
    "purge_begun",
    "purge_files_gone",
    "purge_schema_gone",
    "purge_rows_gone",
    "purge_done",
    # Steps of making a tenant, and the spare schemas; see `tenants`.
    "schema_created",
    "schema_filled",
    "spare_made",
    "spare_dropped",
    "spare_taken",
    "tenant_claimed",
    "tenant_settled",
    "owner_added",
    "sign_up_put_down",
    "sign_up_begun",
    "sign_up_finished",
    "restore_schema_made",
    "restore_rows_loaded",
    "restore_brought_up",
    "restore_registered",
    "restore_files_written",
    "restore_done",
)


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_worker() -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    _kill()


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _exit() -> None:
    os._exit(3)


def _cut() -> None:
    with socket.socket(fileno=os.dup(connection.connection.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)


_ACTIONS: dict[str, Callable[[], None]] = {
    "kill": _kill,
    "kill_worker": _kill_worker,
    "stop": _stop,
    "exit": _exit,
    "cut": _cut,
}


@dataclass(frozen=True, slots=True)
class Armed:
    """What happens at one place: `times` shots, before each of which `passes` go by unharmed."""

    action: str
    times: int = 1
    passes: int = 0


def parse(text: str) -> dict[str, Armed]:
    """The armed failpoints by name.

    Raises:
        ValueError: a name or an action is unknown; the text lists what there is.
    """
    armed = {}
    for part in filter(None, (item.strip() for item in text.split(","))):
        name, _, rest = part.partition(":")
        rest, _, passes = rest.partition("@")
        action, _, times = rest.partition("*")
        if name not in NAMES or action not in _ACTIONS:
            raise ValueError(f"Unknown failpoint {part!r}. Names: {', '.join(NAMES)}; actions: {', '.join(_ACTIONS)}.")
        armed[name] = Armed(action, int(times or 1), int(passes or 0))
    return armed


def make(text: str) -> Callable[[str], None]:
    """The function to call at each place; the counts are shared with processes forked later.

    They are a pipe with a byte for each pass: of two processes that come by at once, each takes its own, or none.
    """
    armed = parse(text)
    if not armed:
        return lambda name: None
    left = {name: _pipe_of(each) for name, each in armed.items()}

    def failpoint(name: str) -> None:
        if name in left:
            try:
                shot = os.read(left[name], 1)
            except BlockingIOError:
                return
            if shot == _SHOT:
                os.write(2, f"failpoint {name}\n".encode())  # not through logging, which might keep it for later
                _ACTIONS[armed[name].action]()

    return failpoint


def _pipe_of(armed: Armed) -> int:
    reading, writing = os.pipe()  # the writing end stays open: a pipe without one would never be empty
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)  # more than a pipe can hold is an error, not a wait for nobody
    os.write(writing, (_PASS * armed.passes + _SHOT) * armed.times)
    return reading


failpoint = make(os.environ.get("TENANTRY_FAILPOINTS", ""))
