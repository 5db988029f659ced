"""structlog without rich, which it would import for coloured traces that nobody here draws: a sixth of the time of every start."""

from __future__ import annotations

import sys
from typing import Any, cast

_modules = cast(dict[str, Any], sys.modules)
_rich = _modules.setdefault("rich", None)  # None: as if it were not installed

import structlog  # noqa: E402  # that is what it must be told first
from structlog.stdlib import ProcessorFormatter  # noqa: E402  # the same
from structlog.typing import EventDict  # noqa: E402  # the same

if _rich is None:
    del _modules["rich"]  # whoever else wants it finds it

__all__ = ["EventDict", "ProcessorFormatter", "structlog"]
