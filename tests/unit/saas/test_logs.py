"""Log lines: what each says of where it happened, in both forms, and what it never says."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from django.core.exceptions import ImproperlyConfigured
from structlog.contextvars import bound_contextvars

from plugin_framework import masking
from plugin_framework.sdk._masking import HIDDEN
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.logs import TenantFilter, formatter
from tests.support.canaries import Canary

ACME = TenantRef(slug="acme", name="Acme", host="acme.localhost", schema="t_acme")
SECRET = Canary("logged")


@pytest.fixture
def lines() -> Iterator[Callable[[str], list[str]]]:
    """`lines("json")` or `lines("text")`: what has been logged to `some.place` so far, as it would be written."""
    streams = {kind: io.StringIO() for kind in ("json", "text")}
    loggers = [logging.getLogger(name) for name in ("some.place", "plugins.orders", "plugins.orders_plugin.views")]
    handlers = []
    for kind, stream in streams.items():
        handler = logging.StreamHandler(stream)
        handler.setFormatter(formatter(kind)())
        handler.addFilter(TenantFilter())
        handlers.append(handler)
    for logger in loggers:
        logger.setLevel(logging.INFO)
        for handler in handlers:
            logger.addHandler(handler)
    masking.forget()
    yield lambda kind: streams[kind].getvalue().splitlines()
    masking.forget()
    for logger in loggers:
        logger.setLevel(logging.NOTSET)
        for handler in handlers:
            logger.removeHandler(handler)


log = logging.getLogger("some.place")


def last(lines: Callable[[str], list[str]]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lines("json")[-1])
    return found


def fail(text: str) -> None:
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("It failed")


def test_a_line_says_when_how_bad_who_and_what(lines: Callable[[str], list[str]]) -> None:
    log.warning("%s of %s", 1, 2)
    said = last(lines)
    assert said.pop("time").endswith("+00:00")
    assert said == {"level": "WARNING", "logger": "some.place", "tenant": "-", "message": "1 of 2"}
    assert lines("text")[-1].endswith(" WARNING [-] some.place: 1 of 2")


def test_a_line_says_where(lines: Callable[[str], list[str]]) -> None:
    with tenant_scope(ACME), bound_contextvars(plugin="mail", delivery=7, attempt=2, request_id="r-1234567", other="x"):
        log.info("here")
    said = last(lines)
    where = {
        "tenant": "acme",
        "schema": "t_acme",
        "plugin": "mail",
        "delivery": 7,
        "attempt": 2,
        "request_id": "r-1234567",
    }
    assert {name: said.get(name) for name in where} == where
    assert "other" not in said
    assert "[acme request_id=r-1234567 plugin=mail delivery=7 attempt=2]" in lines("text")[-1]
    log.info("elsewhere")
    assert {"plugin", "delivery", "attempt", "request_id", "schema"}.isdisjoint(last(lines))


def test_what_a_plugins_own_logger_says_is_the_plugins(lines: Callable[[str], list[str]]) -> None:
    with bound_contextvars(plugin="invoices"):  # whose page is shown, which calls a hook
        logging.getLogger("plugins.orders").info("mine")
        assert last(lines)["plugin"] == "orders"
        logging.getLogger("plugins.orders_plugin.views").info("a module, not a plugin")
        assert last(lines)["plugin"] == "invoices"


@pytest.mark.parametrize("kind", ["json", "text"])
def test_a_secret_is_in_no_line(lines: Callable[[str], list[str]], kind: str) -> None:
    masking.know([SECRET.password, SECRET.core], "public")
    log.warning("it is %s", SECRET.password)
    log.warning("it is %r", {"password": SECRET.password})
    fail(f"the server says {SECRET.password!r}")
    log.warning("look", stack_info=True, extra={"password": SECRET.password})
    with bound_contextvars(request_id=SECRET.core):
        log.warning("bound") if kind == "json" else None  # text is for a developer's own terminal
    structlog.get_logger("some.place").warning("said", password=SECRET.password)
    said = "\n".join(lines(kind))
    assert HIDDEN in said
    assert SECRET.core not in said


def test_a_trace_is_there_and_says_nothing_of_variables(lines: Callable[[str], list[str]]) -> None:
    variable = "unknown to the mask"
    fail("plain " + variable[:7])
    said = last(lines)
    assert said["message"] == "It failed"
    assert said["exception"].startswith("Traceback (most recent call last):")
    assert said["exception"].endswith("ValueError: plain unknown")
    assert variable not in lines("json")[-1]


def test_a_masked_trace_is_there_too(lines: Callable[[str], list[str]]) -> None:
    masking.know([SECRET.core], "public")
    fail(SECRET.core)
    assert last(lines)["exception"].endswith(f"ValueError: {HIDDEN}")


@pytest.mark.parametrize(
    "text",
    ["two\nlines", "a \u2028 separator", "half a \ud83d pair", '"},{"', "\x00\x1b[31m"],
    ids=["lines", "separator", "half a pair", "quotes", "controls"],
)
def test_whatever_is_said_is_one_line(text: str) -> None:
    record = logging.makeLogRecord(
        {"name": "some.place", "msg": text}
    )  # not logged: pytest could not report half a pair
    line = formatter("json")().format(record)
    assert len(line.splitlines()) == 1
    assert json.loads(line)["message"] == text
    line.encode("ascii")


def test_structlogs_own_calls_go_the_same_way(lines: Callable[[str], list[str]]) -> None:
    try:
        raise KeyError("k")
    except KeyError:
        structlog.get_logger("some.place").exception("100 % wrong", number=3)
    said = last(lines)
    assert (said["message"], said["level"]) == ("100 % wrong number=3", "ERROR")
    assert said["exception"].endswith("KeyError: 'k'")
    assert "100 % wrong number=3" in "\n".join(lines("text"))


def test_another_format_is_refused_with_the_choice() -> None:
    with pytest.raises(ImproperlyConfigured, match="json, text"):
        formatter("yaml")


def test_gunicorns_lines_have_the_same_form(capfd: pytest.CaptureFixture[str]) -> None:
    from gunicorn.config import Config

    from saas.gunicorn_logs import Logger

    cfg = Config()
    cfg.set("accesslog", "-")
    logger = Logger(cfg)
    logger.info("up")
    logger.access_log.info("GET /")
    for each in (logger.error_log, logger.access_log):
        for handler in list(each.handlers):
            each.removeHandler(handler)
    out, err = capfd.readouterr()
    assert {json.loads(line)["message"] for line in (out + err).splitlines()} == {"up", "GET /"}
