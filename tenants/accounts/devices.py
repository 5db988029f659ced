"""Where somebody is signed in: one row per session, so that they can see them and end those that are not theirs."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext

from plugin_framework.audit import Actor, record
from plugin_framework.tenancy import tenant_or_none
from tenants.accounts.models import Device, User

FRESH = timedelta(minutes=10)  # how old "last seen" may be: one write in that time, and no query otherwise
_MARK = "tenantry.device"  # in the session: which row is its own, under which key, and when it was last written
_BROWSERS = (
    ("Edge", r"Edg(?:e|A|iOS)?/"),
    ("Opera", r"OPR/|Opera"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/|Chromium/"),
    ("Safari", r"Safari/"),
)
_SYSTEMS = (
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Android", r"Android"),
    ("Windows", r"Windows"),
    ("macOS", r"Macintosh|Mac OS X"),
    ("ChromeOS", r"CrOS"),
    ("Linux", r"Linux|X11"),
)


def seen(request: HttpRequest, address: str) -> None:
    """Note that the signed-in person's session was used. Costs nothing but once in `FRESH`; call it after the view, before the
    session is saved.

    Args:
        address: from which the request came, as far as it is known.
    """
    session = request.session
    if tenant_or_none() is None or not session.accessed or SESSION_KEY not in session or not session.session_key:
        return
    mark, now = session.get(_MARK), timezone.now()
    if isinstance(mark, dict) and mark.get("key") == session.session_key and _is_fresh(mark, now):
        return
    user_id = getattr(getattr(request, "user", None), "pk", None)
    if not isinstance(user_id, int):
        return
    before = str(mark.get("key", "")) if isinstance(mark, dict) else ""
    _write(user_id, before, session.session_key, request.META.get("HTTP_USER_AGENT", ""), address)
    session[_MARK] = {"key": session.session_key, "at": now.timestamp()}


def of(user: User) -> list[Device]:
    """Where `user` is signed in now, the latest first."""
    rows = list(Device.objects.filter(user=user).order_by("-last_seen_at", "-pk"))
    alive = set(
        Session.objects.filter(
            session_key__in=[row.session_key for row in rows], expire_date__gt=timezone.now()
        ).values_list("session_key", flat=True)
    )
    return [row for row in rows if row.session_key in alive]


def end(user: User, number: int, actor: Actor) -> bool:
    """Sign `user` out on one device; whether there was such a one of theirs."""
    return bool(_end(Device.objects.filter(user=user, pk=number), user, actor))


def end_others(user: User, session_key: str, actor: Actor) -> int:
    """Sign `user` out everywhere but in the session `session_key`; on how many devices that was."""
    return _end(Device.objects.filter(user=user).exclude(session_key=session_key), user, actor)


def forget(sender: object, request: HttpRequest, **kwargs: Any) -> None:
    """The session is over (a receiver of Django's signal)."""
    if tenant_or_none() is not None and request is not None:
        Device.objects.filter(session_key=request.session.session_key).delete()


def words(user_agent: str) -> str:
    """What a browser says of itself, as people would: "Firefox on Windows"; "" if it says nothing that is known."""
    browser = next((name for name, signs in _BROWSERS if re.search(signs, user_agent)), "")
    system = next((name for name, signs in _SYSTEMS if re.search(signs, user_agent)), "")
    if browser and system:
        return gettext("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system


def _end(rows: Any, user: User, actor: Actor) -> int:
    with transaction.atomic():
        found = {row.pk: row.session_key for row in rows.select_for_update()}
        if not found:
            return 0
        alive, _ = Session.objects.filter(session_key__in=found.values()).delete()
        Device.objects.filter(pk__in=found).delete()
        record(actor, "person.signed_out", user.email, devices=alive)
        return int(alive)


def _is_fresh(mark: dict[str, Any], now: datetime) -> bool:
    at = mark.get("at")
    return isinstance(at, int | float) and now.timestamp() - at < FRESH.total_seconds()


def _write(user_id: int, before: str, key: str, user_agent: str, address: str) -> None:
    """One row per session, also when its key was changed, as on a new password."""
    said = {
        "user_id": user_id,
        "user_agent": _plain(user_agent)[:300],
        "address": address[:45],
        "last_seen_at": timezone.now(),
    }
    if before and before != key:
        Device.objects.filter(session_key=before, user_id=user_id).exclude(session_key=key).update(session_key=key)
    _, new = Device.objects.update_or_create(session_key=key, defaults=said)
    if new:
        long_ago = timezone.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)
        Device.objects.filter(user_id=user_id, last_seen_at__lt=long_ago).delete()


def _plain(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable())
