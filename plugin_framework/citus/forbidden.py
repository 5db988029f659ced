"""What Citus refuses in a schema that is a shard, by the SQL it is asked with, and what to write instead.

Read in the sources and documentation of Citus (`github.com/citusdata/citus`, `src/backend/distributed/commands/`; the file and the
function are named with each rule), not tried on a cluster.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_NAME = r"(?:\"[^\"]+\"|\w+)"
_OTHER_SCHEMA = rf"{_NAME}\s*\.\s*{_NAME}"
_BEGINS = r"(?:^|;|\b(?:BEGIN|THEN|ELSE|LOOP|DO|ALSO|EXECUTE)\b\s*'?)\s*"  # where a statement may begin
_VOLATILE = (
    r"(?:random|clock_timestamp|timeofday|gen_random_uuid|uuidv4|uuidv7|nextval|setval|txid_current|pg_sleep)\s*\("
)
_NOT_IMMUTABLE = (
    rf"\b(?:{_VOLATILE}|(?:now|statement_timestamp|transaction_timestamp|to_char|current_setting)\s*\("
    r"|(?:CURRENT_(?:TIMESTAMP|DATE|TIME)|LOCALTIME(?:STAMP)?)\b)"
)
_WITHIN_CASE = r"\bCASE\b(?:(?!\bEND\b).)*"
_WITHIN_COALESCE = (
    r"\bCOALESCE\s*\((?:[^()]|\([^()]*\)|\((?![^()]*\)))*"  # up to the first parenthesis that may be its own end
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is refused.

    Attributes:
        name: in a message: "it …".
        remedy: what to do instead, as a sentence.
        source: where Citus says so; or why we do.
    """

    name: str
    pattern: re.Pattern[str]
    remedy: str
    source: str


def _rule(name: str, pattern: str, remedy: str, source: str) -> Rule:
    return Rule(name, re.compile(pattern, re.IGNORECASE | re.DOTALL), remedy, source)


RULES = (
    _rule(
        "makes a temporary table",
        r"\bCREATE\s+(?:(?:GLOBAL|LOCAL)\s+)?TEMP(?:ORARY)?\b|\bINTO\s+TEMP(?:ORARY)?\b",
        "Use a common table expression, or an ordinary table that the migration drops again.",
        "a temporary table is on the coordinator only, the tenant's tables are not; test/regress/sql/schema_based_sharding.sql",
    ),
    _rule(
        "makes a table that inherits",
        r"\bCREATE\s+(?:UNLOGGED\s+)?TABLE\b.*\)\s*INHERITS\s*\(|\bALTER\s+TABLE\b.*\b(?:NO\s+)?INHERIT\b",
        "Repeat the columns, or use Django's multi-table inheritance.",
        "schema_based_sharding.c, EnsureTableKindSupportedForTenantSchema",
    ),
    _rule(
        "makes a table of a type",
        rf"\bCREATE\s+(?:UNLOGGED\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:{_OTHER_SCHEMA}|{_NAME})\s+OF\b",
        "Write the columns out.",
        "reference of Citus 12: CREATE TABLE OF is not supported in a distributed schema",
    ),
    _rule(
        "makes a foreign table",
        r"\bCREATE\s+FOREIGN\s+TABLE\b|\bIMPORT\s+FOREIGN\s+SCHEMA\b",
        "Read the other database from a job of the plugin.",
        "schema_based_sharding.c, EnsureTableKindSupportedForTenantSchema",
    ),
    _rule(
        "makes a schema, or moves a table to one",
        r"\bCREATE\s+SCHEMA\b|\bALTER\s+TABLE\b.*\bSET\s+SCHEMA\b",
        "Keep everything in the tenant's own schema; purging and moving a tenant know no other.",
        "schema.c refuses CREATE SCHEMA … CREATE TABLE; anything else would be outside of the tenant's shard",
    ),
    _rule(
        "has a foreign key into another schema",
        rf"\bREFERENCES\s+{_OTHER_SCHEMA}",
        "Leave the constraint out (`db_constraint=False`): only tables of the same tenant can be referred to.",
        "schema_based_sharding.c, EnsureFKeysForTenantTable",
    ),
    _rule(
        "adds a column that counts by itself, or makes one do so",
        r"\bALTER\s+TABLE\b.*\bADD\s+COLUMN\b.*(?:\bAS\s+IDENTITY\b|\b(?:big|small)?serial\b|\bDEFAULT\s+nextval\s*\()"
        r"|\bALTER\s+COLUMN\b.*\b(?:ADD\s+GENERATED|SET\s+GENERATED|DROP\s+IDENTITY)\b",
        "Make the table anew with the column in it.",
        "table.c, ErrorIfUnsupportedAlterTableStmt",
    ),
    _rule(
        "adds a column with a constraint that has no name",
        r"\bADD\s+COLUMN\b(?:(?!\bCONSTRAINT\b).)*(?:\bCHECK\s*\(|\bUNIQUE\b|\bPRIMARY\s+KEY\b|\bREFERENCES\b)",
        "Name it (CONSTRAINT name CHECK …), or add it in a statement of its own. Django's own operations do so here.",
        "table.c, ErrorUnsupportedAlterTableAddColumn",
    ),
    _rule(
        "changes a sequence",
        r"\bALTER\s+SEQUENCE\b",
        "Begin with a BigAutoField, whose sequence never has to be changed.",
        "sequence.c, PreprocessAlterSequenceStmt",
    ),
    _rule(
        "renames a constraint",
        r"\bRENAME\s+CONSTRAINT\b",
        "Remove it and add it again.",
        "rename.c, ErrorIfUnsupportedRenameStmt",
    ),
    _rule(
        "changes how a table is stored",
        r"\bALTER\s+TABLE\b.*\b(?:SET\s+(?:UN)?LOGGED|SET\s+TABLESPACE|CLUSTER\s+ON|SET\s+WITHOUT\s+CLUSTER|SET\s+STORAGE|SET\s+COMPRESSION)\b",
        "Leave it as it is, or set it when the table is made.",
        "table.c, ErrorIfUnsupportedAlterTableStmt: only the subcommands it lists",
    ),
    _rule(
        "makes a rule",
        r"\bCREATE\s+(?:OR\s+REPLACE\s+)?RULE\b",
        "Do it in the plugin's code.",
        "documentation, SQL support: the rule system is not supported",
    ),
    _rule(
        "makes or takes a partition of another schema",
        rf"\b(?:PARTITION\s+OF|ATTACH\s+PARTITION)\s+{_OTHER_SCHEMA}",
        "Keep a table and its partitions in the tenant's schema, and name neither schema.",
        "schema_based_sharding.c, ErrorIfIllegalPartitioningInTenantSchema",
    ),
    _rule(
        "notifies or listens",
        rf"{_BEGINS}(?:NOTIFY|LISTEN)\s|\bpg_notify\s*\(",
        "Emit an event; a notification of a tenant's table is sent on the server that holds it, where nobody listens.",
        "triggers run on the shard; only public tables notify",
    ),
    _rule(
        "makes an extension",
        r"\b(?:CREATE|ALTER|DROP)\s+EXTENSION\b",
        "Have the operator make it once for the database, and say so in the plugin's README.",
        "schema_based_sharding.c, EnsureSchemaCanBeDistributed: a schema with an extension's objects is none that can be moved",
    ),
    _rule(
        "works concurrently, outside of the transaction",
        r"\bCONCURRENTLY\b",
        "Leave CONCURRENTLY out: a tenant's tables are small, and are made whole or not at all.",
        "PostgreSQL refuses it within a transaction, and a plugin is enabled in one",
    ),
    _rule(
        "changes rows with a function that is volatile",
        rf"\b(?:UPDATE\b.*\bSET|DELETE\s+FROM)\b.*\b{_VOLATILE}",
        "Compute the values in Python (RunPython) and pass them as parameters.",
        "planner/multi_router_planner.c: functions used in UPDATE queries on distributed tables must not be VOLATILE",
    ),
    _rule(
        "changes rows with a function that is not immutable within CASE or COALESCE",
        rf"\b(?:UPDATE\b.*\bSET|DELETE\s+FROM)\b.*(?:{_WITHIN_CASE}|{_WITHIN_COALESCE}){_NOT_IMMUTABLE}",
        "Have it stand outside of them (GREATEST and LEAST may hold it), or compute the values in Python (RunPython).",
        "planner/multi_router_planner.c: non-IMMUTABLE functions are not allowed in CASE or COALESCE statements",
    ),
)


def broken_rules(sql: str, shared_tables: Iterable[str] = ()) -> Iterator[Rule]:
    """The rules that a statement breaks.

    Args:
        sql: one statement, or several.
        shared_tables: names of tables in `public`, which a tenant's may not refer to by name alone either.
    """
    bare = _without_comments(sql)
    yield from (rule for rule in RULES if any(rule.pattern.search(each) for each in _statements(bare)))
    shared = "|".join(re.escape(name) for name in sorted(shared_tables))
    if shared and re.search(rf'\bREFERENCES\s+"?(?:{shared})"?(?![\w".])', bare, re.IGNORECASE):
        yield next(rule for rule in RULES if "foreign key" in rule.name)


def _without_comments(sql: str) -> str:
    return re.sub(r"--[^\n]*|/\*.*?\*/", " ", sql, flags=re.DOTALL)


def _statements(sql: str) -> list[str]:
    """Cut at semicolons: a pattern must not begin in one statement and end in the next. A body within $$ stays whole."""
    parts = re.split(r"(\$\w*\$).*?\1", sql, flags=re.DOTALL)
    bodies = [found[0] for found in re.finditer(r"(\$\w*\$).*?\1", sql, flags=re.DOTALL)]
    return [each for part in parts if not part.startswith("$") for each in part.split(";")] + bodies
