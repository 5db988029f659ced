"""Says of each migration when it may be applied while older and newer code serve side by side; see docs/operations/deploying.md.

`BEFORE`: older code lives with it, so it comes first, and the newer code after it. `AFTER`: it takes away what older code uses and
newer code does not, so it waits until the last older process has stopped. `ALONE`: one of them cannot live with either order, so
nothing may be running. A migration says so itself (``rollout = "after"`` in its class), or its operations do.
"""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import connection, models
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED

from plugin_framework.sdk._calling import plugins_code

type Key = tuple[str, str]  # a migration: its app's label and its name
_TAKES_AWAY = re.compile(
    r"\b(?:DROP\s+(?!INDEX|CONSTRAINT|TRIGGER|NOT\s+NULL)|RENAME\b|TRUNCATE\b|SET\s+NOT\s+NULL|ALTER\s+COLUMN\s+\S+\s+(?:SET\s+DATA\s+)?TYPE\b)",
    re.IGNORECASE,
)
_WIDER = {("integer", "bigint"), ("smallint", "integer"), ("smallint", "bigint"), ("varchar", "text")}


class Stage(StrEnum):
    """When a migration may be applied."""

    BEFORE = "before"
    AFTER = "after"
    ALONE = "alone"


@dataclass(frozen=True, slots=True)
class Judged:
    """What is known of one migration. `problems`: why it has to be `ALONE` though it does not say so; sentences for its author."""

    key: Key
    stage: Stage
    problems: tuple[str, ...] = ()


log = logging.getLogger(__name__)


class Unsuitable(RuntimeError):
    """A migration that cannot be applied while other processes serve. Nothing was changed."""


@functools.cache
def known() -> Mapping[Key, Migration]:
    """All migrations on disk; the same for as long as the process lives."""
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    found: dict[Any, Migration] = loader.disk_migrations
    return {(str(app), str(name)): migration for (app, name), migration in found.items()}


@functools.cache
def judged() -> Mapping[Key, Judged]:
    """What is known of each of them. Without Django's graph of all: one plugin with a broken dependency must not stop the others."""
    state, found = ProjectState(), dict[Key, Judged]()
    for key, migration in _in_order().items():
        if migration.replaces:
            found[key] = Judged(
                key, Stage.BEFORE
            )  # what it replaces was judged; where none of that is left, it makes all anew
            if any(part in known() for part in migration.replaces):
                continue
        try:
            with plugins_code():
                found.setdefault(key, judge(migration, state))
                state = migration.mutate_state(state, preserve=False)
        except Exception as error:  # a plugin's migration may be anything; whoever applies it will see what it is
            log.warning("%s.%s cannot be judged", *key, exc_info=error)
            found[key] = Judged(key, Stage.ALONE, (f"It does not fit the ones before it ({type(error).__name__}).",))
    return found


def _in_order() -> dict[Key, Migration]:
    """Each behind what it depends on, as far as that is there."""
    order: dict[Key, Migration] = {}

    def visit(key: Key) -> None:
        if key in known() and key not in order and key not in visiting:
            visiting.add(key)
            for needed in (*known()[key].dependencies, *known()[key].replaces):
                visit((str(needed[0]), str(needed[1])))
            order[key] = known()[key]

    visiting: set[Key] = set()
    for key in sorted(known()):
        visit(key)
    return order


def judge(migration: Migration, state: ProjectState) -> Judged:
    """`migration`, which finds the models as in `state`."""
    key = (migration.app_label, migration.name)
    said = getattr(migration, "rollout", None)
    if said is not None:
        known = said in set(Stage)
        return (
            Judged(key, Stage(said), ())
            if known
            else Judged(key, Stage.ALONE, (f'rollout is {said!r}; it can be "before", "after" or "alone".',))
        )
    stages, problems = _looked_at(migration, state)
    if not problems and len(stages) > 1:
        problems = ["It adds and takes away: make two migrations of it, what takes away last."]
    if problems:
        return Judged(key, Stage.ALONE, tuple(problems))
    return Judged(key, stages.pop() if stages else Stage.BEFORE)


def _looked_at(migration: Migration, state: ProjectState) -> tuple[set[Stage], list[str]]:
    stages: set[Stage] = set()
    problems: list[str] = []
    state, made = state.clone(), set[str]()
    for operation in migration.operations:
        for each in _in_database(operation):
            model = str(getattr(each, "model_name", getattr(each, "name", ""))).lower()
            if isinstance(each, operations.CreateModel):
                made.add(model)
            elif model not in made and not migration.initial:
                stage, problem = _one(each, migration.app_label, state)
                stages |= {stage} if stage else set()
                problems += [f"{each.describe()}: {problem}"] if problem else []
        operation.state_forwards(migration.app_label, state)
    return stages, problems


def _in_database(operation: Operation) -> Iterator[Operation]:
    if isinstance(operation, operations.SeparateDatabaseAndState):
        yield from operation.database_operations
    else:
        yield operation


def _one(operation: Operation, app: str, state: ProjectState) -> tuple[Stage | None, str]:
    """The stage of one operation on what was there before, if it asks for one; and what is wrong with it."""
    match operation:
        case operations.AddField(field=field):
            return Stage.BEFORE, "" if _fills_itself(field) else _NEEDS_DEFAULT.format("older")
        case operations.RemoveField():
            field = _field(state, app, operation.model_name, operation.name)
            return Stage.AFTER, "" if _fills_itself(field) else _NEEDS_DEFAULT.format("newer")
        case operations.DeleteModel():
            return Stage.AFTER, ""
        case operations.AlterField(field=new):
            return _altered(_field(state, app, operation.model_name, operation.name), new)
        case operations.RenameField() if _field(state, app, operation.model_name, operation.old_name).db_column:
            return None, ""
        case operations.RenameField() | operations.RenameModel() | operations.AlterModelTable():
            return None, _A_NAME
        case operations.AddConstraint() | operations.AlterUniqueTogether() | operations.AlterOrderWithRespectTo():
            return None, _A_RULE
        case operations.RunSQL(sql=sql) if _TAKES_AWAY.search(_text(sql)):
            return None, 'it may take away what older code uses: say `rollout = "after"`, or "before" if it does not.'
        case operations.CreateModel() | operations.AddIndex():
            return Stage.BEFORE, ""
    return None, ""


_NEEDS_DEFAULT = "rows that {} code adds would have no value there: give it null=True or a db_default."
_IN_TWO = "Add another one, and take this one away in a later release."
_A_NAME = f"older code does not know the new name, newer code not the old one. {_IN_TWO}"
_A_TYPE = f"from {{}} to {{}}: one of the two codes would meet the other's. {_IN_TWO}"
_A_RULE = 'older code may not keep this rule: say `rollout = "before"` if it does, "after" if newer code alone does.'


def _fills_itself(field: Any) -> bool:
    """Whether a row can be added by code that does not know the column."""
    no_column = field.many_to_many or isinstance(field, models.GeneratedField)
    return no_column or field.null or field.db_default is not NOT_PROVIDED or field.primary_key


def _altered(old: Any, new: Any) -> tuple[Stage | None, str]:
    if old.many_to_many or new.many_to_many:
        same = old.many_to_many and new.many_to_many
        return None, "" if same else f"a column and a table of pairs are not the same to any code. {_IN_TWO}"
    if new.db_column != old.db_column:
        return None, "older code does not know the column's new name."
    before, after = _type(old), _type(new)
    if before != after and not _wider(before, after):
        return None, _A_TYPE.format(before, after)
    if new.unique and not old.unique:
        return None, _A_RULE
    loses_default = old.db_default is not NOT_PROVIDED and new.db_default is NOT_PROVIDED
    if not new.null and (old.null or loses_default):
        return Stage.AFTER, ""
    changed = before != after or new.null != old.null or new.db_default != old.db_default
    return (Stage.BEFORE if changed else None), ""


def _type(field: Any) -> str:
    """What its column holds; of a reference, to what: in a migration nobody has looked that up yet."""
    target = field.remote_field.model if field.remote_field else None
    label = target._meta.label if isinstance(target, type) and issubclass(target, models.Model) else target
    return f"a key of {label}".lower() if target else str(field.db_type(connection))


def _wider(before: str, after: str) -> bool:
    kinds = [re.match(r"(\w+)(?:\((\d+)\))?", each) for each in (before, after)]
    (old, old_length), (new, new_length) = (each.groups() if each else ("", None) for each in kinds)
    if (old, new) in _WIDER:
        return True
    return old == new == "varchar" and (
        new_length is None or (old_length is not None and int(new_length) >= int(old_length))
    )


def _field(state: ProjectState, app: str, model: str, name: str) -> Any:
    """A field as the migrations before have left it, knowing its name as a model's own does."""
    field = state.models[app, model.lower()].fields[name].clone()
    field.set_attributes_from_name(name)
    return field


def _text(sql: Any) -> str:
    parts: Iterable[Any] = [sql] if isinstance(sql, str) else sql
    return "\n".join(each if isinstance(each, str) else str(each[0]) for each in parts)
