"""Gunicorn's own lines in the form of ours: `gunicorn --logger-class saas.gunicorn_logs.Logger`."""

from __future__ import annotations

import logging
import os
from typing import Any

from gunicorn.glogging import Logger as GunicornLogger

from saas.logs import TenantFilter, formatter


class Logger(GunicornLogger):  # type: ignore[misc]  # gunicorn ships no types
    """Gunicorn's logger, which sets up its handlers before Django has read any settings."""

    def setup(self, cfg: Any) -> None:
        """As gunicorn's; then its handlers get the formatter that LOG_FORMAT names."""
        super().setup(cfg)
        make = formatter(os.environ.get("LOG_FORMAT", "json"))
        for logger in (self.error_log, self.access_log):
            for handler in logger.handlers:
                _dress(handler, make())


def _dress(handler: logging.Handler, form: logging.Formatter) -> None:
    handler.setFormatter(form)
    handler.addFilter(TenantFilter())
