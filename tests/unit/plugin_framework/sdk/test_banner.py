"""A banner that could not be shown, or not safely, cannot be made; and the way back from one stays on its host."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from plugin_framework.sdk import Banner, banner_dismissed

ELSEWHERE = [
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "/\t/evil.example/",
    "\\\\evil.example/",
    "/\n/evil.example",
    "javascript:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "http:evil.example",
    "http://[",
    "https://",
    "ftp://evil.example/",
    "https://bank.example@evil.example/",
    "page",
    "?next=x",
    "\x00",
    "/a\x00b",
]


@pytest.mark.parametrize("url", ["/", "/apps/orders/?q=a&page=2#top", "/caf%C3%A9/", "/café/"])
def test_a_path_of_this_host_is_a_link_a_dismissal_and_a_way_back(url: str) -> None:
    banner = Banner("1", "t", "", link_url=url, link_label="there", dismiss_url=url)
    assert (banner.link_url, banner.dismiss_url) == (url, url)
    assert way_back(url).startswith(url[:4])


@pytest.mark.parametrize(
    "url", ["https://status.example/x?y=1", "http://localhost:8000/", "https://[::1]/", "HTTPS://X/"]
)
def test_an_address_of_the_web_is_a_link_and_nothing_else(url: str) -> None:
    assert Banner("1", "t", "", link_url=url, link_label="there").link_url == url
    with pytest.raises(ValueError, match="begins with /"):
        Banner("1", "t", "", dismiss_url=url)
    assert way_back(url) == "/"


@pytest.mark.parametrize("url", ELSEWHERE)
def test_any_other_address_is_refused_everywhere(url: str) -> None:
    with pytest.raises(ValueError, match="A link leads to"):
        Banner("1", "t", "", link_url=url, link_label="there")
    with pytest.raises(ValueError, match="What dismisses"):
        Banner("1", "t", "", dismiss_url=url)
    assert way_back(url) == "/"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"key": ""}, "key of a banner"),
        ({"key": "a b"}, "key of a banner"),
        ({"key": '"><script>'}, "key of a banner"),
        ({"key": "x" * 51}, "key of a banner"),
        ({"level": "loud"}, "one of info, success, warning, error"),
        ({"link_url": "/"}, "give both, or neither"),
        ({"link_label": "there"}, "give both, or neither"),
    ],
)
def test_what_is_wrong_is_said(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Banner(**{"key": "1", "title": "t", "text": "", **change})


def test_a_way_back_that_is_missing_or_endless_leads_to_the_dashboard() -> None:
    assert way_back("/" + "ü" * 1000) == "/"
    assert banner_dismissed(RequestFactory().post("/")).headers["Location"] == "/"
    assert way_back("/" + "ü" * 999) == "/" + "%C3%BC" * 999


def test_htmx_gets_an_empty_answer_and_no_way_back() -> None:
    answer = banner_dismissed(RequestFactory().post("/", {"next": "/"}, headers={"hx-request": "true"}))
    assert (answer.status_code, answer.content, "Location" in answer.headers) == (200, b"", False)


def way_back(url: str) -> str:
    answer = banner_dismissed(RequestFactory().post("/", {"next": url}))
    assert answer.status_code == 302
    return answer.headers["Location"]
