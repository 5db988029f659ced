"""Takes a secret out of a text, however the text has quoted it: escaped, encoded, or only the telling part of it."""

from __future__ import annotations

import base64
import html
import re
from functools import cached_property
from urllib.parse import urlsplit

HIDDEN = "[hidden]"
SHORTEST = 6  # characters; hiding shorter ones would garble every other word, and so give them away
_TELLING = 12  # characters of one line of a key, or of one step of an address, that are a secret by themselves
_WORD = re.compile(r"[A-Za-z0-9]+")
# What stands before an escaped character, each however often it was escaped itself.
_PERCENT = "%(?:25)*"
_BACKSLASH = rf"(?:\\|{_PERCENT}5[cC])"
_END = rf"(?:;|{_PERCENT}3[bB])"
_AND = rf"(?:&|{_PERCENT}26)(?:amp{_END})*"
_NUMBER = rf"{_AND}(?:#|{_PERCENT}23)"
_SPACE = rf"(?:\s|{_BACKSLASH}+[nrt]|\+|{_PERCENT}(?:20|2B|0[9AaDd])|{_NUMBER}(?:9|10|13|32){_END})+"


class Masker:
    """Hides one secret.

    Args:
        secret: as the other side wants it. Of an address, what follows the host is hidden too where it stands alone; of a
            text on several lines, each line.
    """

    __slots__ = ("__dict__", "_secret")

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def __repr__(self) -> str:
        return "<masker>"

    def mask(self, text: str) -> str:
        """`text` without the secret."""
        for word, pattern in self._patterns:
            if word in text:
                text = pattern.sub(HIDDEN, text)
        for encoded in self._encoded:
            if encoded in text:
                text = text.replace(encoded, HIDDEN)
        return text

    @cached_property
    def _patterns(self) -> list[tuple[str, re.Pattern[str]]]:
        """Each part as a pattern for all ways of escaping it, and its longest word, without which there is no need to look."""
        return [(max(_WORD.findall(part) or [""], key=len), _pattern(part)) for part in parts_of(self._secret)]

    @cached_property
    def _encoded(self) -> list[str]:
        return [each for part in parts_of(self._secret) for each in _encodings(part.encode("utf-8", "surrogatepass"))]


def parts_of(secret: str) -> list[str]:
    """What must not be seen of a secret, longest first."""
    found = [secret.strip()]
    if "://" in secret:
        path = urlsplit(secret).path if _is_address(secret) else ""
        found += [each for each in (path, path.lstrip("/"), *path.split("/")) if len(each) >= _TELLING]
    found += [line for line in map(str.strip, secret.splitlines()) if len(line) >= _TELLING]
    return sorted({each for each in found if len(each) >= SHORTEST}, key=len, reverse=True)


def _is_address(text: str) -> bool:
    try:
        urlsplit(text)
    except ValueError:
        return False
    return True


def _pattern(part: str) -> re.Pattern[str]:
    spaced = re.split(r"\s+", part)
    return re.compile(_SPACE.join("".join(map(_writings, word)) for word in spaced))


def _writings(char: str) -> str:
    """A pattern for all that HTML, JSON, URLs, Python and several of them on top of each other make of one character."""
    if char.isascii() and char.isalnum():
        return char
    code, data = ord(char), char.encode("utf-8", "surrogatepass")
    wide = char.encode("utf-16-be", "surrogatepass").hex()
    escaped = html.escape(char)
    ways = [
        re.escape(char) if char != "\\" else _BACKSLASH,
        rf"{_NUMBER}(?:0*{code}|[xX]0*(?i:{code:x})){_END}",
        *([f"{_AND}{escaped[1:-1]}{_END}"] if escaped != char and "#" not in escaped else []),
        "".join(f"{_PERCENT}(?i:{byte:02x})" for byte in data),
        "x" + rf"{_BACKSLASH}+x".join(f"{byte:02x}" for byte in data),
        "u" + rf"{_BACKSLASH}+u".join(f"(?i:{wide[at : at + 4]})" for at in range(0, len(wide), 4)),
        f"(?:x{code:02x}|U{code:08x})",
    ]
    return rf"{_BACKSLASH}*(?:{'|'.join(ways)})"


def _encodings(data: bytes) -> set[str]:
    """`data` in hexadecimal digits, and in base64 wherever in a longer text it stands."""
    found = {data.hex(), data.hex().upper()}
    for offset in range(3):
        whole = base64.b64encode(b"\0" * offset + data).decode().rstrip("=")
        first = (offset * 8 + 5) // 6
        last = len(whole) - (1 if (offset + len(data)) % 3 else 0)  # the last shares bits with what follows
        text = whole[first:last]
        found |= {text, text.replace("+", "-").replace("/", "_")}
    return {each for each in found if len(each) >= SHORTEST}
