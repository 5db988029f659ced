"""An address may be connected to if Python says that it is global; which it says of multicast, NAT64 and cloud metadata too."""

from __future__ import annotations

from plugin_framework.sdk.net import _addresses
from tests.isolation.planted.surgery import rewrite


def plant() -> None:
    """Ask nothing else."""
    rewrite(
        _addresses.why_not_public,
        "    if isinstance(address, IPv4Address):",
        "    return None if address.is_global else 'not a public address'\n    if isinstance(address, IPv4Address):",
    )
