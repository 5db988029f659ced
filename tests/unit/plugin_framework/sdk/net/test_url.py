"""How URLs are read."""

from __future__ import annotations

import pytest

from plugin_framework.sdk.net import PUBLIC_ONLY, DestinationRefused, NetworkPolicy
from plugin_framework.sdk.net._url import parse_url

READ = {
    "https://hooks.slack.com/services/T/B/x?y=1": ("hooks.slack.com", 443, "/services/T/B/x?y=1", "hooks.slack.com"),
    "HTTPS://Hooks.Slack.com": ("hooks.slack.com", 443, "/", "hooks.slack.com"),
    "https://hooks.slack.com.:443/": ("hooks.slack.com", 443, "/", "hooks.slack.com"),
    "https://a.example:8443?x=1#frag": ("a.example", 8443, "/?x=1", "a.example:8443"),
    "https://[2606:4700::1111]/": ("2606:4700::1111", 443, "/", "[2606:4700::1111]"),
    "https://[2606:4700::1111]:8443/": ("2606:4700::1111", 8443, "/", "[2606:4700::1111]:8443"),
    "https://a.example/@b:c//d": ("a.example", 443, "/@b:c//d", "a.example"),
    "https://a.example#@b.example/": ("a.example", 443, "/", "a.example"),
}
_REFUSED = """
http://a.example/ ftp://a.example/ file:///etc/passwd gopher://a.example/ javascript:alert(1) data:text/html,x //a.example/ a.example
https:/a.example/ https:a.example https:///path https://?x https://:443/ https://@a.example/ https://u@a.example/
https://u:p@a.example/ https://a.example@b.example/ https://a.example:/ https://a.example:x/ https://a.example:-1/
https://a.example:123456/ https://a.example:443:443/ https://a.example:\uff14\uff14\uff13/ https://[::1/ https://::1/ https://[::1]x/
https://[a.example]/ https://a.example\\@b.example/ https://a.example\\.b.example/ https:\\\\a.example/ https://a.example/ä
https://a%2eexample/ https://a.example%00.b.example/ https://a.example%0d%0a/ view-source:https://a.example/
"""
UNSAFE = [
    "https://a.example/a b",
    " https://a.example/",
    "https://a.example/\n",
    "https://a.exa\tmple/",
    "https://a.example/\r\nX: 1",
]
UNSAFE += [
    "https://a.example/\x00",
    "https://a.example/\x7f",
    "https://a.example/\u2028",
    "",
    "https://a.example/" + "x" * 8000,
]


@pytest.mark.parametrize(("url", "parts"), READ.items())
def test_a_plain_url_is_read(url: str, parts: tuple[str, int, str, str]) -> None:
    target = parse_url(url, policy=PUBLIC_ONLY)
    assert (target.host.text, target.port, target.path, target.authority) == parts


@pytest.mark.parametrize("url", [*_REFUSED.split(), *UNSAFE])
def test_an_odd_url_is_refused(url: str) -> None:
    with pytest.raises(DestinationRefused) as refusal:
        parse_url(url, policy=PUBLIC_ONLY)
    assert refusal.value.permanent


def test_http_is_read_only_where_the_policy_allows_it() -> None:
    assert parse_url("http://a.example/", policy=NetworkPolicy(allow_http=True)).port == 80
    with pytest.raises(DestinationRefused, match="must start with https"):
        parse_url("http://a.example/", policy=NetworkPolicy(allow_loopback=True))


@pytest.mark.parametrize(
    "url", ["https://u:s3cret@a.example/", "https://a.example/s3cret ", "http://a.example/s3cret", "s3cret"]
)
def test_a_refusal_never_repeats_the_url(url: str) -> None:
    with pytest.raises(DestinationRefused) as refusal:
        parse_url(url, policy=PUBLIC_ONLY)
    assert "s3cret" not in str(refusal.value)


def test_the_path_is_not_in_the_repr() -> None:
    assert "s3cret" not in repr(parse_url("https://hooks.slack.com/services/s3cret", policy=PUBLIC_ONLY))
