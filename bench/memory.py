"""How much memory a process has that is its own."""

from __future__ import annotations

from pathlib import Path


def private(pid: int) -> int:
    """KB of a process's private memory, its share of what was there before a fork included; 0 where that is not to be seen."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # another machine's, or another user's
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss_Anon")), 0)
