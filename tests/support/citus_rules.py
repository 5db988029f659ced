"""What Citus' planner refuses in a statement that changes rows, found in the statement as PostgreSQL itself has parsed it.

The rules are those of `ModifyPartialQuerySupported` and `ErrorIfOnConflictNotSupported` in Citus' `planner/multi_router_planner.c`; the
parsed statement is the body of an SQL function, as the catalog keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from django.db import connection, transaction

_TOKEN = re.compile(r"\{\w+|[{}()]|(?:\\.|[^\s(){}])+")
_PARAMETER = re.compile(r"%\((\w+)\)s|%s|%%")
_UPDATE, _INSERT, _DELETE = "2", "3", "4"  # of an enum of PostgreSQL's, CmdType
_FUNCTIONS = ("funcid", "opfuncid", "aggfnoid", "winfnoid")
# Nodes that are functions without a number of one. Some conversions by way of text are immutable; which, would have to be looked up.
_BY_KIND = {"NEXTVALUEEXPR": "v", "SQLVALUEFUNCTION": "s", "COERCEVIAIO": "s"}
_LAZY = {"CASE", "CASEEXPR", "COALESCE", "COALESCEEXPR"}


@dataclass
class Node:
    """A node of a parsed statement: its fields, each with the tokens and nodes that are its value."""

    name: str
    fields: dict[str, list[str | Node]] = field(default_factory=dict)

    def nodes(self, *names: str) -> Iterator[Node]:
        """The nodes directly within it; within the fields `names` if there are any."""
        for name in names or self.fields:
            yield from (each for each in self.fields.get(name, []) if isinstance(each, Node))

    def word(self, name: str) -> str:
        """The value of a field that has one word; "" if there is none."""
        first = next(iter(self.fields.get(name, [])), "")
        return first if isinstance(first, str) else ""

    def all(self) -> Iterator[Node]:
        """It and all nodes within it."""
        yield self
        for each in self.nodes():
            yield from each.all()


def refusals(statement: str, plain: Collection[str]) -> list[str]:
    """Why Citus would not run `statement`, whose tables are in the search path or named with their schema.

    Args:
        plain: names of the tables that Citus is not told of.

    Raises:
        django.db.Error: PostgreSQL cannot read it, or it is in a schema that there is not.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        tree = _parsed(statement)
        functions = [each.word(name) for each in tree.all() for name in _FUNCTIONS if each.word(name)]
        cursor.execute("SELECT oid::text, provolatile FROM pg_proc WHERE oid = ANY (%s::oid[])", [functions])
        volatility = dict(cursor.fetchall())
        relations = [each.word("relid") for each in tree.all() if each.word("relid")]
        cursor.execute("SELECT oid::text, relname FROM pg_class WHERE oid = ANY (%s::oid[])", [relations])
        tables = dict(cursor.fetchall())
        transaction.set_rollback(True)
    queries = [each for each in tree.all() if each.name == "QUERY"]
    rules = _Rules(volatility.__getitem__)
    return [why for query in queries if _target(query, tables) not in plain for why in rules.broken(query)]


def _parsed(statement: str) -> Node:
    numbers: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        return f"${numbers.setdefault(found[1] or str(found.start()), len(numbers) + 1)}"

    sql = _PARAMETER.sub(number, statement)
    with connection.cursor() as cursor:
        cursor.execute(f"PREPARE looked_at AS {sql}")
        cursor.execute("SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = 'looked_at'")
        (types,) = cursor.fetchone()
        cursor.execute("DEALLOCATE looked_at")
        cursor.execute(
            f"CREATE FUNCTION pg_temp.looked_at({', '.join(types)}) RETURNS void LANGUAGE sql BEGIN ATOMIC {sql}; END"
        )
        cursor.execute(
            "SELECT prosqlbody::text FROM pg_proc WHERE proname = 'looked_at' AND pronamespace = pg_my_temp_schema()"
        )
        (body,) = cursor.fetchone()
    return _read(body)


def _read(text: str) -> Node:
    """The tree that PostgreSQL writes as `{NAME :field value … :field (value value)}`."""
    open_nodes = [Node("")]
    current: list[str] = [""]
    for token in _TOKEN.findall(text):
        if token.startswith("{"):
            child = Node(token[1:])
            open_nodes[-1].fields.setdefault(current[-1], []).append(child)
            open_nodes.append(child)
            current.append("")
        elif token == "}":
            open_nodes.pop()
            current.pop()
        elif token.startswith(":"):
            current[-1] = token[1:]
            open_nodes[-1].fields.setdefault(current[-1], [])
        elif token not in "()":
            open_nodes[-1].fields.setdefault(current[-1], []).append(token)
    return open_nodes[0]


def _target(query: Node, tables: dict[str, str]) -> str:
    """The table whose rows the query changes."""
    number = int(query.word("resultRelation") or 0)
    return tables[list(query.nodes("rtable"))[number - 1].word("relid")] if number else ""


@dataclass(frozen=True)
class _Rules:
    """`volatility` of a function: "i", "s" or "v", by its number."""

    volatility: Callable[[str], str]

    def broken(self, query: Node) -> Iterator[str]:
        """The rules that a query breaks, not counting the queries in its WITH."""
        kind = query.word("commandType")
        if kind not in (_UPDATE, _INSERT, _DELETE):
            return
        changed = [each for each in query.nodes("targetList") if kind == _UPDATE and each.word("resjunk") != "true"]
        conditions = list(query.nodes("jointree"))
        for part in changed + conditions:
            if self._has(part, "v"):
                yield "a volatile function"
            elif any(self._has(each, "sv") for each in _without_queries(part) if each.name in _LAZY):
                yield "a function that is not immutable within CASE or COALESCE"
            elif any(self._of_a_column(each) for each in _without_queries(part) if each.name not in _LAZY):
                yield "a stable function of a column"
        if any(self._has(each, "sv") for each in query.nodes("returningList")):
            yield "a function that is not immutable in RETURNING"
        for conflict in query.nodes("onConflict"):
            if any(self._has(each, "sv") for each in conflict.nodes()):
                yield "a function that is not immutable in ON CONFLICT"

    def _of_a_column(self, node: Node) -> bool:
        return self._is(node, "s") and any(each.name == "VAR" for each in _without_queries(node))

    def _has(self, node: Node, volatilities: str) -> bool:
        return any(self._is(each, volatilities) for each in node.all())

    def _is(self, node: Node, volatilities: str) -> bool:
        if node.name in _BY_KIND:
            return _BY_KIND[node.name] in volatilities
        return any(self.volatility(node.word(name)) in volatilities for name in _FUNCTIONS if node.word(name))


def _without_queries(node: Node) -> Iterator[Node]:
    """It and the nodes within it, up to a query of its own."""
    yield node
    for each in node.nodes():
        if each.name != "QUERY":
            yield from _without_queries(each)
