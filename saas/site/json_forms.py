"""Forms that programs send as JSON, and errors by field that they can read."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext

JSON = "application/json"


class Unreadable(ValueError):
    """What was sent cannot be given to a form; `by_field` says why."""

    def __init__(self, by_field: dict[str, list[str]]) -> None:
        super().__init__(str(by_field))
        self.by_field = by_field


def wanted(request: HttpRequest) -> bool:
    """Whether JSON was sent, or is asked for and nothing else would do."""
    return request.content_type == JSON or not request.accepts("text/html")


def from_a_program(request: HttpRequest) -> bool:
    """Whether no other site's page can have made somebody's browser send this.

    A page may send JSON to another site only after the browser has asked that site, and we never agree; with any other content
    the browser names the page's origin. A request without an origin and without a cookie acts in nobody's name.
    """
    return request.content_type == JSON or not ("Origin" in request.headers or request.COOKIES)


def read(request: HttpRequest, fields: Container[str]) -> dict[str, str]:
    """The values of `fields` that were sent, for a form to check; others are ignored, as those of an HTML form are.

    Raises:
        Unreadable: the body is no JSON object, or one of its values is no text.
    """
    given = _parsed(request) if request.content_type == JSON else request.POST.dict()
    known = {name: value for name, value in given.items() if name in fields and value is not None}
    wrong = {name: [gettext("Give this as text.")] for name, value in known.items() if not isinstance(value, str)}
    if wrong:
        raise Unreadable(wrong)
    return known


def errors(by_field: Mapping[str, Iterable[object]], status: int = 400) -> JsonResponse:
    """The errors as lists of sentences, those of the whole form under `__all__`."""
    return JsonResponse(
        {"errors": {field: [str(each) for each in found] for field, found in by_field.items()}}, status=status
    )


def _parsed(request: HttpRequest) -> dict[str, Any]:
    try:
        given = json.loads(request.body)
    except (ValueError, RecursionError):
        raise Unreadable({"__all__": [gettext("The body is not JSON.")]}) from None
    if not isinstance(given, dict):
        raise Unreadable({"__all__": [gettext("Send a JSON object.")]})
    return given
