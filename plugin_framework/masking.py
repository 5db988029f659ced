"""Knows the secrets this process has in the clear, and hides them in what is logged, stored and shown.

A plugin may put a secret into an error, and a server may quote what it was sent; neither can be told not to. What a tenant sees is
searched for its own secrets (and the platform's) alone: a text in which another tenant's were hidden would confirm a guess at them.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from plugin_framework import tenancy
from plugin_framework.sdk._masking import SHORTEST, Masker

MOST_TENANTS = 1024  # whose secrets are remembered; more than there are active sets
MOST_OF_ONE = 256  # stored secrets of one tenant; the oldest go first
MOST_TYPED = 32  # that were only typed into its forms


@dataclass(slots=True)
class _Owner:
    """One tenant's secrets, in the order in which they were last met."""

    stored: OrderedDict[str, Masker] = field(default_factory=OrderedDict)
    typed: OrderedDict[str, Masker] = field(default_factory=OrderedDict)


_known: OrderedDict[str, _Owner] = OrderedDict()
_changing = threading.Lock()


def know(secrets: Iterable[Any], schema: str | None = None, *, typed: bool = False) -> None:
    """Hide these from now on.

    Args:
        secrets: in the clear; what is no text, or too short to be told from a word, is left out.
        schema: of the tenant whose they are, "public" for the platform; None for the current one.
        typed: somebody has just typed them, and they may never be saved.
    """
    owner = schema or _here() or tenancy.PUBLIC
    with _changing:
        mine = _known.setdefault(owner, _Owner())
        _known.move_to_end(owner)
        kept, most = (mine.typed, MOST_TYPED) if typed else (mine.stored, MOST_OF_ONE)
        for secret in secrets:
            if isinstance(secret, str) and len(plain := str.__str__(secret).strip()) >= SHORTEST:
                kept.setdefault(plain, Masker(plain))
                kept.move_to_end(plain)
        while len(kept) > most:
            kept.popitem(last=False)
        while len(_known) > MOST_TENANTS:
            _known.popitem(last=False)


def used(schema: str) -> None:
    """The tenant's plugins are at work, with secrets that were opened long ago: do not forget those before others'."""
    with _changing:
        if schema in _known:
            _known.move_to_end(schema)


def masked(text: str) -> str:
    """`text` without the secrets of the current tenant and of the platform; outside of a tenant, without any that is known."""
    for masker in _maskers():
        text = masker.mask(text)
    return text


def forget() -> None:
    """Know nothing any more; for tests."""
    with _changing:
        _known.clear()


def install() -> None:
    """From now on, no log record of this process carries a secret that is known: whoever logs, and whatever handles it."""
    if getattr(logging.getLogRecordFactory(), "masks", False):
        return
    make = logging.getLogRecordFactory()

    def make_masked(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        if _known:
            _clean(record)
        return record

    make_masked.masks = True  # type: ignore[attr-defined]  # a mark for ourselves
    logging.setLogRecordFactory(make_masked)


def _here() -> str | None:
    tenant = tenancy.tenant_or_none()
    return tenant.schema if tenant else None


def _maskers() -> list[Masker]:
    here = _here()
    with _changing:
        owners = list(_known) if here is None else [here, tenancy.PUBLIC]
        kept = [_known[owner] for owner in owners if owner in _known]
        return [masker for each in kept for masker in (*each.stored.values(), *each.typed.values())]


def _clean(record: logging.LogRecord) -> None:
    """Hide what is known in the record's message, trace and stack."""
    try:
        message = record.getMessage()
    except Exception:  # noqa: BLE001  # arguments that do not fit; the handler reports that with the place where it happened
        return
    if (clean := masked(message)) != message:
        record.msg, record.args = clean, None
    if record.stack_info:
        record.stack_info = masked(record.stack_info)
    if record.exc_info and record.exc_info[0]:
        trace = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        if (clean := masked(trace)) != trace:
            # The text says the same as the objects, which a handler could render afresh.
            record.exc_text, record.exc_info = clean, None
