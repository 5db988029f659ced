"""What a log line says beside its message: the tenant, the plugin, the delivery, the request; as JSON, or as text for people.

Whoever logs calls `logging` as ever. Where it happens stands in ContextVars: the tenant in its scope (`tenancy`), the rest where the
middleware and the worker bind it (structlog's contextvars). Secrets are hidden when a record is made (`masking.install`): in its
message, and in its trace, whose text then takes the place of the exception.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import structlog
from django.core.exceptions import ImproperlyConfigured
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict

from plugin_framework import masking, tenancy

FORMATS = ("json", "text")
CONTEXT = ("request_id", "plugin", "delivery", "attempt")  # beside the tenant and its schema, in this order
_TEXT = "{asctime} {levelname} [{where}] {name}: {message}"
_OF_PLUGINS = "plugins."  # their loggers are called so; see `PluginInterface.log`


class TenantFilter(logging.Filter):
    """Adds ``record.tenant``, the current tenant's slug or a dash, and ``record.context`` with what else is known of the place."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        tenant = tenancy.tenant_or_none() or getattr(request, "tenant", None)
        context = _bound(record.name) or _kept(getattr(request, "log_context", {}))
        places = [tenant.slug if tenant else "-", *(f"{name}={value}" for name, value in context.items())]
        if tenant:
            context["schema"] = tenant.schema
        vars(record).update(tenant=places[0], context=context, where=" ".join(places))
        return True


def _bound(logger: str) -> dict[str, Any]:
    """What was bound here; but what a plugin's own logger says, that plugin says, whoever called it."""
    context = _kept(structlog.contextvars.get_contextvars())
    if logger.startswith(_OF_PLUGINS):
        # Not before: the settings name this module, and the registry needs them.
        from plugin_framework.registry import registry

        name = logger.removeprefix(_OF_PLUGINS).partition(".")[0]
        context |= {"plugin": name} if name in registry.specs else {}
    return context


def _kept(bound: Mapping[str, Any]) -> dict[str, Any]:
    return {name: bound[name] for name in CONTEXT if bound.get(name) is not None}


def text() -> logging.Formatter:
    """A line for people."""
    return logging.Formatter(_TEXT, style="{")


def json_lines() -> logging.Formatter:
    """One JSON object a line, whatever a message has in it."""
    return ProcessorFormatter(
        foreign_pre_chain=[_trace],
        processors=[
            _record,
            ProcessorFormatter.remove_processors_meta,
            _masked,
            structlog.processors.JSONRenderer(default=str),
        ],
    )


def formatter(kind: str) -> Callable[[], logging.Formatter]:
    """What LOG_FORMAT names.

    Raises:
        ImproperlyConfigured: it names nothing.
    """
    if kind not in FORMATS:
        raise ImproperlyConfigured(f"LOG_FORMAT is {kind!r}; choose one of: {', '.join(FORMATS)}")
    return json_lines if kind == "json" else text


def structlog_through_logging() -> None:
    """Let what somebody logs through structlog go the way of everything else: past the mask, to our handlers."""
    structlog.configure(
        processors=[_as_message],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def _as_message(logger: Any, method: str, event: EventDict) -> tuple[tuple[str], dict[str, Any]]:
    """What was said and the values that came along, in one text: only that, and a trace, is searched for secrets."""
    kept = {name: event.pop(name) for name in ("exc_info", "stack_info", "stacklevel") if name in event}
    values = [f"{name}={value!r}" for name, value in event.items() if name != "event"]
    return (" ".join([str(event.get("event", "")), *values]),), kept


def _trace(logger: Any, method: str, event: EventDict) -> EventDict:
    """The trace as text. Where it held a secret, the record has it as text already, and no exception any more."""
    record: logging.LogRecord = event["_record"]
    if record.exc_text or event.get("exc_info"):
        event["exception"] = record.exc_text or logging.Formatter().formatException(event["exc_info"])
    event.pop("exc_info", None)
    if stack := event.pop("stack_info", None):
        event["stack"] = stack
    return event


def _record(logger: Any, method: str, event: EventDict) -> EventDict:
    """When, how bad, who, where; then the message."""
    record: logging.LogRecord = event["_record"]
    line: EventDict = {
        "time": _time(record),
        "level": record.levelname,
        "logger": record.name,
        "tenant": getattr(record, "tenant", "-"),
        **getattr(record, "context", {}),
        "message": event.pop("event"),
    }
    return {**line, **event}


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _masked(logger: Any, method: str, event: EventDict) -> EventDict:
    """Once more, for what is no part of a record when it is made: a value somebody bound."""
    return {name: masking.masked(value) if isinstance(value, str) else value for name, value in event.items()}
