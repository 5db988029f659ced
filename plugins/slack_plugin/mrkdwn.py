"""Puts foreign text into Slack messages so that it stays text: no links, no mentions, no calls to the whole channel."""

from __future__ import annotations

import re

_BREAKS = re.compile(r"[\s\x00-\x1f\x7f\x85\u2028\u2029]+")
_CALL = re.compile(r"@(?=(?:channel|here|everyone|group)\b)", re.IGNORECASE)
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_WORD_JOINER = "\u2060"  # invisible; what is behind it is no mention any more


def plain(text: object, longest: int = 200) -> str:
    """`text` on one line of at most `longest` characters, with everything Slack would act on made harmless.

    Slack asks for &, < and > as entities (https://docs.slack.dev/messaging/formatting-message-text).
    """
    line = _BREAKS.sub(" ", str(text)).strip()
    if len(line) > longest:
        line = line[: longest - 1] + "…"
    return _CALL.sub(f"@{_WORD_JOINER}", line).translate(_ENTITIES)
