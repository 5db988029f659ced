"""Since when the platform has withdrawn a plugin, as far as the organisation was told: the catalog keeps no date of its own."""

from __future__ import annotations

from datetime import datetime
from itertools import takewhile

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from plugin_framework.models import AuditEntry

WITHDRAWN = "catalog.withdrawn"
# What else the platform may decide of an offer; each ends what was before it.
_OTHERWISE = ("catalog.offered", "catalog.listed", "catalog.hidden", "catalog.deprecated")
_LOOKED_AT = 50  # newer wordings of the reason are entries too


def words(plugin: str, message: str) -> str:
    """The platform's `message` with the day, in the organisation's zone; "" if the day is not known here, or there is no message."""
    since = _since(plugin) if message else None
    if since is None:
        return ""
    on = date_format(timezone.localtime(since), "DATE_FORMAT")
    return _("Withdrawn by the platform on %(date)s: %(message)s") % {"date": on, "message": message}


def _since(plugin: str) -> datetime | None:
    told = AuditEntry.objects.filter(target=plugin, action__in=[WITHDRAWN, *_OTHERWISE]).order_by("-id")
    newest = list(told.values_list("action", "at")[:_LOOKED_AT])
    lately = [at for _action, at in takewhile(lambda each: each[0] == WITHDRAWN, newest)]
    return lately[-1] if lately else None
