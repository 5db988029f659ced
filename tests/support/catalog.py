"""The texts that can be translated: found in the code, kept in `locale/*/LC_MESSAGES/django.po`, compiled beside it.

`tools/messages` brings the files up to date. GNU gettext's programs are not needed.

The English file is written by hand: it says in our own words what Django and its packages say. Those texts need the other languages too.
"""

from __future__ import annotations

import ast
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import allauth
import django
from django.contrib import auth
from django.utils.translation.template import templatize

from tests.support.spoken import said_by_plugins

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("saas", "tenants", "plugin_framework", "plugins", "templates")
_PLURAL = {"ngettext", "ngettext_lazy"}
_SINGULAR = {"gettext", "gettext_lazy", "gettext_noop", "_", "Phrase"}
_CONTEXT = {"pgettext", "pgettext_lazy"}
_LITERAL = r"""u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_IN_TEMPLATE = re.compile(rf"\b(n?gettext|_)\(\s*{_LITERAL}(?:\s*,\s*{_LITERAL})?")
_HEADER = (
    "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\nLanguage: {language}\n"
    "Plural-Forms: nplurals=2; plural=(n != 1);\n"
)


@dataclass(frozen=True, slots=True)
class Message:
    """A text, its plural ("" if it has none), and its translations: one, or one for each number; empty where there is none."""

    msgid: str
    plural: str = ""
    said: tuple[str, ...] = ()
    found_in: tuple[str, ...] = field(default=(), compare=False)


def wanted(language: str) -> dict[str, Message]:
    """Every text that `language` has to have: of the code, and of packages as far as we say them differently."""
    ours = read(ROOT / "locale" / "en" / "LC_MESSAGES" / "django.po")
    return ours if language == "en" else {msgid: replace(each, said=()) for msgid, each in ours.items()} | in_the_code()


def of_packages() -> dict[str, Message]:
    """Every text that Django's forms, its rules for passwords, and allauth can say."""
    homes = [Path(django.__file__).parent / "conf", Path(auth.__file__).parent, Path(allauth.__file__).parent]
    return {
        msgid: message
        for home in homes
        for msgid, message in read(home / "locale" / "en" / "LC_MESSAGES" / "django.po").items()
    }


def in_the_code() -> dict[str, Message]:
    """Every text that the code marks for translation, or that a built-in plugin says of itself."""
    found: dict[str, Message] = {}
    for path in _sources():
        name = path.relative_to(ROOT).as_posix()
        text = path.read_text("utf-8")
        for msgid, plural in _python(text) if path.suffix == ".py" else _template(text):
            known = found.get(msgid, Message(msgid))
            places = known.found_in if name in known.found_in else (*known.found_in, name)
            found[msgid] = Message(msgid, plural or known.plural, (), places)
    for text, module in said_by_plugins():
        name = f"{module.replace('.', '/')}.py"
        known = found.get(text, Message(text))
        found[text] = known if name in known.found_in else replace(known, found_in=(*known.found_in, name))
    return found


def _sources() -> Iterator[Path]:
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*")):
            page = path.suffix in (".html", ".txt") and "templates" in path.parts
            if (page or path.suffix == ".py") and not {"migrations", "startplugin"} & set(path.parts):
                yield path


def _python(text: str) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        said = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if name in _SINGULAR and said:
            yield said[0], ""
        elif name in _PLURAL and len(said) >= 2:
            yield said[0], said[1]
        elif name in _CONTEXT:
            raise ValueError("Texts with a context are not collected; say it in the text itself.")


def _template(text: str) -> Iterator[tuple[str, str]]:
    for kind, one, many in _IN_TEMPLATE.findall(templatize(text)):
        yield ast.literal_eval(one), ast.literal_eval(many) if kind == "ngettext" and many else ""


def read(path: Path) -> dict[str, Message]:
    """What a .po file has, by the text."""
    found: dict[str, Message] = {}
    for block in path.read_text("utf-8").split("\n\n") if path.exists() else []:
        parts = _parts(block)
        if parts.get("msgid"):
            said = tuple(text for name, text in parts.items() if name.startswith("msgstr"))
            found[parts["msgid"]] = Message(parts["msgid"], parts.get("msgid_plural", ""), said)
    return found


def _parts(block: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    name = ""
    for line in block.splitlines():
        if not line or line.startswith("#"):
            continue
        if not line.startswith('"'):
            name, _, line = line.partition(" ")
        parts[name] = parts.get(name, "") + ast.literal_eval(line)
    return parts


def write(path: Path, messages: Mapping[str, Message], language: str) -> None:
    """Write a .po file, and the .mo file that Django reads beside it."""
    blocks = [_block(Message("", "", (_HEADER.format(language=language),)))]
    blocks += [_block(messages[msgid]) for msgid in sorted(messages)]
    path.write_text("\n\n".join(blocks) + "\n", "utf-8")
    path.with_suffix(".mo").write_bytes(compiled(messages, language))


def _block(message: Message) -> str:
    lines = [f"#: {' '.join(message.found_in)}"] if message.found_in else []
    lines.append(f"msgid {_quoted(message.msgid)}")
    if message.plural:
        said = message.said or ("", "")
        lines.append(f"msgid_plural {_quoted(message.plural)}")
        lines += [f"msgstr[{number}] {_quoted(text)}" for number, text in enumerate(said)]
    else:
        lines.append(f"msgstr {_quoted(message.said[0] if message.said else '')}")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    pieces = escaped.split("\n")
    if len(pieces) == 1:
        return f'"{escaped}"'
    return "\n".join(['""', *(f'"{piece}\\n"' for piece in pieces[:-1]), *([f'"{pieces[-1]}"'] if pieces[-1] else [])])


def compiled(messages: Mapping[str, Message], language: str) -> bytes:
    """A .mo file: what is translated, sorted, in the layout of GNU gettext's manual."""
    pairs = {b"": _HEADER.format(language=language).encode()}
    for message in messages.values():
        if message.said and all(message.said):
            key = f"{message.msgid}\0{message.plural}" if message.plural else message.msgid
            pairs[key.encode()] = "\0".join(message.said).encode()
    keys = sorted(pairs)
    begin = 28 + 16 * len(keys)
    tables, data = [b"", b""], b""
    for number, texts in enumerate(([*keys], [pairs[key] for key in keys])):
        for text in texts:
            tables[number] += struct.pack("<II", len(text), begin + len(data))
            data += text + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(keys), 28, 28 + 8 * len(keys), 0, 28 + 16 * len(keys))
    return head + tables[0] + tables[1] + data
