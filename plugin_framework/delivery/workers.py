"""Who is at work: the heartbeats of supervisors, and which of an earlier start on this machine are certainly dead."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from plugin_framework.delivery import lanes

FRESH = 30.0  # seconds; an older heartbeat is no proof of life
_BEAT = """
INSERT INTO public.delivery_worker AS worker (id, host, pid, process_start, started_at, seen_at)
VALUES (%s, %s, %s, %s, clock_timestamp(), clock_timestamp())
ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp()
"""
_ON_HOST = "SELECT id, pid, process_start FROM public.delivery_worker WHERE host = %s AND id <> %s"
_REMOVE = (
    "DELETE FROM public.delivery_worker WHERE id = ANY (%s::text[]) OR seen_at < clock_timestamp() - interval '1 day'"
)
_SEEN = (
    "SELECT EXISTS (SELECT FROM public.delivery_worker WHERE seen_at > clock_timestamp() - make_interval(secs => %s))"
)


@dataclass(frozen=True, slots=True)
class Identity:
    """A supervisor: `id` is what its lanes name as their owner."""

    id: str
    host: str
    pid: int
    process_start: int


def myself() -> Identity:
    """This process as a supervisor; a new identity at each start."""
    pid = os.getpid()
    return Identity(f"{socket.gethostname()[:60]}-{pid}-{secrets.token_hex(6)}", _host(), pid, _process_start(pid))


def beat(identity: Identity) -> None:
    """Say that this supervisor is alive."""
    with connection.cursor() as cursor:
        cursor.execute(_BEAT, [identity.id, identity.host, identity.pid, identity.process_start])


def leave(identity: Identity) -> None:
    """Say that this supervisor has stopped."""
    with connection.cursor() as cursor:
        cursor.execute(_REMOVE, [[identity.id]])


def bury_predecessors(identity: Identity) -> int:
    """Free the lanes of supervisors of this machine whose process is gone; how many lanes.

    Only before there are children of one's own: later it could free their living leases.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ON_HOST, [identity.host, identity.id])
        dead = [owner for owner, pid, start in cursor.fetchall() if _process_start(pid) != start]
    freed = lanes.take_over(dead) if dead else 0
    with connection.cursor() as cursor:
        cursor.execute(_REMOVE, [dead])
    return freed


def any_alive(within: float = FRESH) -> bool:
    """Whether some supervisor's heartbeat is fresh; for readiness checks. Call in the public scope."""
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, [within])
        return bool(cursor.fetchone()[0])


def _host() -> str:
    """Where a process id means something: this host, since this boot, in this process namespace."""
    parts = [socket.gethostname()]
    for name in ("/proc/sys/kernel/random/boot_id", "/proc/self/ns/pid"):
        path = Path(name)
        try:
            parts.append(os.readlink(path) if path.is_symlink() else path.read_text().strip())
        except OSError:  # not Linux: the host's name has to do
            parts.append("")
    return "/".join(parts)[:200]


def _process_start(pid: int) -> int:
    """The kernel's start time of a process in clock ticks since boot; 0 if there is none (or no /proc to ask)."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0
