"""Which addresses count as Slack's incoming webhooks, and what Slack's answers mean."""

from __future__ import annotations

import re

from django.utils.translation import gettext, gettext_noop

_SLACK = re.compile(r"https://hooks\.slack(?:-gov)?\.com/[\w./-]{1,500}", re.ASCII)
_LOCAL = re.compile(r"https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?/[\w./-]{0,500}", re.ASCII)

# Where trying the same thing again cannot help (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).
PERMANENT = {
    400: gettext_noop(
        "Slack did not understand the message, so it was not posted. Ask who runs this platform: trying again does not help."
    ),
    404: gettext_noop("Slack does not know this webhook any more. Make a new one and enter its URL in the settings."),
    410: gettext_noop(
        "The webhook was removed, or its channel is archived. Make a new one and enter its URL in the settings."
    ),
}
_PASSING = {
    403: gettext_noop(
        "Slack refused the message: the webhook was revoked, or the channel takes no posts from apps. "
        "Make a new one and enter its URL in the settings."
    ),
    429: gettext_noop("Slack asked us to slow down. Try again in a minute."),
}


def problem_with(url: str, *, allow_loopback: bool) -> str:
    """Why `url` cannot be the webhook, or nothing. The text never repeats the URL: its path is the secret.

    Args:
        allow_loopback: whether a receiver on this machine will do, as in the demo and in tests.
    """
    if _SLACK.fullmatch(url) or (allow_loopback and _LOCAL.fullmatch(url)):
        return ""
    return gettext(
        "The webhook URL must be one that Slack gave you: https://hooks.slack.com/… or https://hooks.slack-gov.com/…"
    )


def meaning(status: int) -> str:
    """What an answer other than 2xx tells the tenant's admin."""
    known = PERMANENT.get(status) or _PASSING.get(status)
    if known:
        return gettext(known)
    said = gettext(
        "Slack answered with the status %(status)s. Try again in a few minutes; if it stays so, make a new webhook."
    )
    return said % {"status": status}
