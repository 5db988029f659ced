"""How a worker behaves: sizes and times, all in one frozen value. Times are seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """A worker's settings.

    Attributes:
        children: handlers that run at the same time; more are added, up to `most_children`, while some are stuck.
        standby: children that are ready to take the place of one that is stuck or has died; they work on nothing before.
        elastic_factor: how many times `children` there may be while some are stuck; 1: never more, and who is stuck is waited for.
        lease: how long a lane stays claimed when its worker vanishes; renewed three times as often.
        soft_limit: after it `DeadlineExceeded` is raised inside the handler.
        hard_limit: after it the handler's process is killed, whatever it does.
        poll: between looks for wake-ups when no notification comes.
        stop_grace: for running deliveries after SIGTERM.
        slice_seconds, slice_rows: how much of one lane is done before the others get their turn.
        few: deliveries that wait in a lane; with more, its child gives way while others, within `few_lately`, had so few: every
            `give_way_every` deliveries it rests for `give_way`. Somebody's large backlog would take the processor from the others' single
            events, and from all who hand them on.
        stuck_after: with one delivery; from then on its child does not count as one of `children`. A call to a far receiver takes
            that long, so a few slow tenants cost the others no more than this wait.
        stuck_soon: the same just after something came in for which no child had its hands free: it waits less.
        recycle_after: deliveries after which a child makes room for a fresh one.
        schedule_poll: between looks for jobs whose time has come.
        memory: bytes of data a child may allocate beyond what it starts with; 0 for no limit.
    """

    children: int = 4
    lease: float = 15.0
    soft_limit: float = 30.0
    hard_limit: float = 45.0
    poll: float = 0.25
    idle_poll: float = 1.0
    stop_grace: float = 20.0
    slice_seconds: float = 0.5
    slice_rows: int = 200
    few: int = 20
    few_lately: float = 0.1
    give_way_every: int = 8
    give_way: float = 0.008
    recycle_after: int = 5000
    standby: int = 4
    memory: int = 1024 * 1024 * 1024
    elastic_factor: int = 4
    stuck_after: float = 0.03
    stuck_soon: float = 0.005
    linger: float = 5.0
    heartbeat: float = 5.0
    schedule_poll: float = 1.0

    def __post_init__(self) -> None:
        if self.children < 1:
            raise ValueError("A worker needs at least one child process; use --children 1 or more.")
        if self.elastic_factor < 1:
            raise ValueError("The elastic factor must be at least 1, which means: never more children than --children.")
        if not 0 < self.soft_limit < self.hard_limit:
            raise ValueError("The soft limit must be more than 0 and less than the hard limit.")
        if self.lease <= 0 or self.poll <= 0:
            raise ValueError("The lease and the poll interval must be more than 0 seconds.")

    @property
    def most_children(self) -> int:
        """Including those added while others are stuck, without those that stand by."""
        return self.children * self.elastic_factor
