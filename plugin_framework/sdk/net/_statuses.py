"""What the statuses of HTTP mean, in words: ours, and not those that the other server sends along."""

from __future__ import annotations

from plugin_framework.sdk._words import Phrase

_SAID = (
    Phrase("300 (Multiple Choices)"),
    Phrase("301 (Moved Permanently)"),
    Phrase("302 (Found)"),
    Phrase("303 (See Other)"),
    Phrase("304 (Not Modified)"),
    Phrase("305 (Use Proxy)"),
    Phrase("307 (Temporary Redirect)"),
    Phrase("308 (Permanent Redirect)"),
    Phrase("400 (Bad Request)"),
    Phrase("401 (Unauthorized)"),
    Phrase("402 (Payment Required)"),
    Phrase("403 (Forbidden)"),
    Phrase("404 (Not Found)"),
    Phrase("405 (Method Not Allowed)"),
    Phrase("406 (Not Acceptable)"),
    Phrase("407 (Proxy Authentication Required)"),
    Phrase("408 (Request Timeout)"),
    Phrase("409 (Conflict)"),
    Phrase("410 (Gone)"),
    Phrase("411 (Length Required)"),
    Phrase("412 (Precondition Failed)"),
    Phrase("413 (Content Too Large)"),
    Phrase("414 (URI Too Long)"),
    Phrase("415 (Unsupported Media Type)"),
    Phrase("416 (Range Not Satisfiable)"),
    Phrase("417 (Expectation Failed)"),
    Phrase("418 (I'm a Teapot)"),
    Phrase("421 (Misdirected Request)"),
    Phrase("422 (Unprocessable Content)"),
    Phrase("423 (Locked)"),
    Phrase("424 (Failed Dependency)"),
    Phrase("425 (Too Early)"),
    Phrase("426 (Upgrade Required)"),
    Phrase("428 (Precondition Required)"),
    Phrase("429 (Too Many Requests)"),
    Phrase("431 (Request Header Fields Too Large)"),
    Phrase("451 (Unavailable For Legal Reasons)"),
    Phrase("500 (Internal Server Error)"),
    Phrase("501 (Not Implemented)"),
    Phrase("502 (Bad Gateway)"),
    Phrase("503 (Service Unavailable)"),
    Phrase("504 (Gateway Timeout)"),
    Phrase("505 (HTTP Version Not Supported)"),
    Phrase("506 (Variant Also Negotiates)"),
    Phrase("507 (Insufficient Storage)"),
    Phrase("508 (Loop Detected)"),
    Phrase("510 (Not Extended)"),
    Phrase("511 (Network Authentication Required)"),
)
_BY_NUMBER = {int(phrase.text[:3]): phrase for phrase in _SAID}


def status_in_words(status: int) -> str:
    """The number and what it means, as it is stored; of a status that nobody knows, the number alone."""
    return _BY_NUMBER[status].text if status in _BY_NUMBER else str(status)
