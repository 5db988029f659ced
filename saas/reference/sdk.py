"""The reference page of the SDK: each name in `plugin_framework.sdk.__all__`, as its source declares and describes it."""

from __future__ import annotations

import ast
import html
import inspect
import io
import re
import textwrap
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from plugin_framework import sdk
from plugin_framework.sdk import net

_HEAD = """\
# The SDK

Made from the code by `make docs`; a test keeps it current, so that no name or signature changes unnoticed. All of it is imported from
`plugin_framework.sdk`; what is not listed here is private and may change in any release.
"""
_NET = """\
# The guarded clients

`self.http` and `self.smtp` of a plugin. They talk to public addresses only, follow no redirect, and have one deadline for everything.
"""
_CLIENTS = ("HttpClient", "HttpResponse", "SmtpClient", "SmtpReceipt", "HttpStatusError")
_PRIVATE_VALUES = re.compile(r"<(?:function|object|factory)[^>]*>|[\w.]+object at 0x\w+")


@dataclass(frozen=True, slots=True)
class Attribute:
    """A field of a class, with the comment that stands beside it."""

    declared: str
    comment: str


def page() -> str:
    """The page, in Markdown: classes with their fields and methods, then functions, then the clients."""
    things = {name: getattr(sdk, name) for name in sdk.__all__}
    classes = {name: each for name, each in things.items() if inspect.isclass(each)}
    others = {name: each for name, each in things.items() if name not in classes}
    parts = [_HEAD, "## Functions and decorators\n", *map(_other, others, others.values())]
    parts += ["## Classes\n", *map(_class, classes, classes.values())]
    parts += [_NET.replace("# The", "## The"), *(_class(name, getattr(net, name)) for name in _CLIENTS)]
    return "\n".join(parts)


def _other(name: str, thing: Any) -> str:
    if callable(thing):
        return f"### `{name}{_signature(thing)}`\n\n{_prose(thing)}\n"
    return f"### `{name}`\n\nThe `{type(thing).__name__}` of this process. {_prose(type(thing))}\n"


def _class(name: str, cls: type) -> str:
    lines = [f"### `{name}`\n", _prose(cls), ""]
    if bases := [base.__name__ for base in cls.__bases__ if base.__name__ in sdk.__all__]:
        lines += [f"A {', '.join(f'`{base}`' for base in bases)}.", ""]
    if fields := _fields(cls):
        lines += ["| field | |", "|---|---|", *(_row(each) for each in fields), ""]
    for method, function, prose in _methods(cls):
        lines += [f"`{method}{function}`", "", prose, ""]
    return "\n".join(lines)


def _row(field: Attribute) -> str:
    comment = field.comment.replace("|", "\\|")
    return f"| {_code(field.declared)} | {comment} |"


def _code(text: str) -> str:
    """Code in a cell of a table: a bar would end the cell for one renderer, and keep its backslash with another."""
    return f"<code>{html.escape(text, quote=False).replace('|', '&#124;')}</code>" if "|" in text else f"`{text}`"


def _methods(cls: type) -> Iterator[tuple[str, str, str]]:
    """Public methods and properties that the class itself defines and describes: name, how it is used, description."""
    for name, member in vars(cls).items():
        function = member.fget if isinstance(member, property) else getattr(member, "func", member)
        function = getattr(function, "__func__", function)
        if not name.startswith("_") and inspect.isfunction(function) and function.__doc__:
            used = _signature(function)
            yield name, used if function is member else used.replace("() ->", ":"), _prose(function)


def _signature(thing: Any) -> str:
    """As it is called, without `self` and without the names of modules."""
    try:
        found = inspect.signature(thing)
    except (TypeError, ValueError):
        return ""
    kept = [each for each in found.parameters.values() if each.name != "self"]
    text = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(found.replace(parameters=kept)))  # annotations are kept as texts
    return _PRIVATE_VALUES.sub("…", re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", text))


def _prose(thing: Any) -> str:
    """Its docstring; the sections of Google's style as lists."""
    text = inspect.getdoc(thing) or ""
    text = re.sub(r"^(Args|Returns|Raises|Attributes):$", r"**\1**\n", text, flags=re.M)
    return re.sub(r"^ {8}(?=\S)", "  ", re.sub(r"^ {4}(?=\S)", "- ", text, flags=re.M), flags=re.M)


def _fields(cls: type) -> list[Attribute]:
    """What the class's own body annotates or assigns in public, in the order of its source."""
    source = textwrap.dedent(inspect.getsource(cls))
    comments = _comments(source)
    body = [node for definition in ast.parse(source).body for node in getattr(definition, "body", [])]
    found = [node for node in body if isinstance(node, ast.AnnAssign | ast.Assign)]
    return [
        Attribute(_declared(node), comments.get(node.end_lineno or 0, comments.get(node.lineno, "")))
        for node in found
        if not _name(node).startswith("_")
    ]


def _name(node: ast.AnnAssign | ast.Assign) -> str:
    return ast.unparse(node.target if isinstance(node, ast.AnnAssign) else node.targets[0])


def _declared(node: ast.AnnAssign | ast.Assign) -> str:
    return re.sub(r"\bClassVar\[(.+)\](?= =|$)", r"\1", ast.unparse(node))


def _comments(source: str) -> Mapping[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {each.start[0]: each.string.lstrip("# ") for each in tokens if each.type == tokenize.COMMENT}
