"""A delivery is marked as done before it is sent: whoever dies in between has lost it."""

from __future__ import annotations

from plugin_framework.delivery import attempt
from tests.isolation.planted.surgery import rewrite


def plant() -> None:
    """Mark first."""
    imports = "from plugin_framework.delivery import rows; from plugin_framework.tenancy import current_tenant"
    first = "rows.finish(current_tenant().schema, Finished(started.id, delivered(0, None, current.exchange)), current.fence)"
    rewrite(attempt._called, 'failpoint("before_send")', f'{imports}; {first}; failpoint("before_send")')
