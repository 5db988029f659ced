"""How a host as people write it becomes one canonical host."""

from __future__ import annotations

import pytest

from plugin_framework.sdk.net._errors import DestinationRefused
from plugin_framework.sdk.net._names import parse_host

CANONICAL = {
    "hooks.slack.com": "hooks.slack.com",
    "HOOKS.Slack.COM": "hooks.slack.com",
    "hooks.slack.com.": "hooks.slack.com",
    "localhost": "localhost",
    "_dmarc.example.com": "_dmarc.example.com",
    "1password.com": "1password.com",
    "a.0x": None,
    "bücher.example": "xn--bcher-kva.example",
    "例え。テスト": "xn--r8jz45g.xn--zckzah",
    "8.8.8.8": "8.8.8.8",
    "8.8.8.8.": "8.8.8.8",
    "\uff18.8.8.8": "8.8.8.8",
    "⑧.8.8。8": "8.8.8.8",
    "2606:4700:0:0::1111": "2606:4700::1111",
    "[2606:4700::1111]": "2606:4700::1111",
    "::FFFF:127.0.0.1": "::ffff:127.0.0.1",
    # and what is no host at all
    "": None,
    "   ": None,
    ".": None,
    "..": None,
    "a..b": None,
    "a.b..": None,
    ".a.b": None,
    "-a.example": None,
    "a-.example": None,
    "a b.example": None,
    " a.example": None,
    "a.example\n": None,
    "a.example\r\nX-Evil: 1": None,
    "a\x00.example": None,
    "a\t.example": None,
    "user@a.example": None,
    "user:pass@a.example": None,
    "a.example:443": None,
    "a.example/path": None,
    "a.example?x": None,
    "a.example#x": None,
    "a\\b.example": None,
    "a%2eexample": None,
    "127.0.0.1%00.example": None,
    "0x7f000001": None,
    "0x7f.1": None,
    "0X7F.0.0.1": None,
    "2130706433": None,
    "017700000001": None,
    "0177.0.0.1": None,
    "127.1": None,
    "127.0.1": None,
    "127.0.0.01": None,
    "127.0.0.1.1": None,
    "256.0.0.1": None,
    "127.0.0.0x1": None,
    "example.123": None,
    "[127.0.0.1]": None,
    "[::1": None,
    "::1]": None,
    "[::1]]": None,
    "fe80::1%eth0": None,
    "[fe80::1%25eth0]": None,
    ":::1": None,
    "1:2:3": None,
    "12345::1": None,
    "faß.example": None,
    "a\u200db.example": None,
    "x" * 64 + ".example": None,
    ("x" * 60 + ".") * 5: None,
    "ü" * 300: None,
}


@pytest.mark.parametrize(("written", "canonical"), CANONICAL.items())
def test_a_host_is_read_in_one_way_or_refused(written: str, canonical: str | None) -> None:
    if canonical is not None:
        assert parse_host(written).text == canonical
        return
    with pytest.raises(DestinationRefused) as refusal:
        parse_host(written)
    assert refusal.value.permanent
    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize(
    "written", ["https://hooks/T0/s3cret", "user:s3cret@host", "s3cret in a sentence", "host?token=s3cret"]
)
def test_what_does_not_look_like_a_host_is_not_repeated(written: str) -> None:
    with pytest.raises(DestinationRefused) as refusal:
        parse_host(written)
    assert "s3cret" not in str(refusal.value)
