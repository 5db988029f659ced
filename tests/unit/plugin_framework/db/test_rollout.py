"""When a migration may be applied while older and newer code serve side by side."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from plugin_framework.db.rollout import Judged, Stage, judge, judged

ID = ("id", models.BigAutoField(primary_key=True))
THING = migrations.CreateModel(
    "Thing",
    [
        ID,
        ("name", models.CharField(max_length=20)),
        ("note", models.TextField(null=True)),
        ("count", models.IntegerField(db_default=0)),
        ("size", models.IntegerField()),
        ("friends", models.ManyToManyField("shop.Thing")),
        ("kept", models.IntegerField(db_column="was")),
    ],
)


def looked_at(*operations: Operation, **attributes: Any) -> Judged:
    """What is said of a migration with `operations`, on an app with the model above."""
    state = ProjectState()
    THING.state_forwards("shop", state)
    migration = type("Migration", (migrations.Migration,), {"operations": list(operations), **attributes})
    return judge(migration("0002_more", "shop"), state)


RULE = models.CheckConstraint(condition=models.Q(size__gt=0), name="some")
BEFORE: dict[str, Operation] = {
    "a table": migrations.CreateModel("Other", [ID, ("size", models.IntegerField())]),
    "a field that may be empty": migrations.AddField("thing", "more", models.IntegerField(null=True)),
    "a field that fills itself": migrations.AddField("thing", "more", models.IntegerField(db_default=1)),
    "pairs": migrations.AddField("thing", "more", models.ManyToManyField("shop.Thing")),
    "an index": migrations.AddIndex("thing", models.Index(fields=["name"], name="by_name")),
    "longer text": migrations.AlterField("thing", "name", models.CharField(max_length=21)),
    "text of any length": migrations.AlterField("thing", "name", models.TextField()),
    "a larger number": migrations.AlterField("thing", "size", models.BigIntegerField()),
    "what may be empty now": migrations.AlterField("thing", "name", models.CharField(max_length=20, null=True)),
    "other words": migrations.AlterField("thing", "name", models.CharField(max_length=20, verbose_name="Title")),
    "a name for the program alone": migrations.RenameField("thing", "kept", "held"),
    "a model's name for the program alone": migrations.SeparateDatabaseAndState(
        state_operations=[migrations.RemoveField("thing", "size")]
    ),
    "a constraint less": migrations.RemoveConstraint("thing", "some"),
    "a function": migrations.RunSQL("CREATE OR REPLACE FUNCTION f() RETURNS int AS $$ SELECT 1 $$ LANGUAGE sql"),
    "an index dropped by hand": migrations.RunSQL("DROP INDEX by_name"),
    "data": migrations.RunPython(lambda apps, editor: None),
}
AFTER: dict[str, Operation] = {
    "a field that may be empty": migrations.RemoveField("thing", "note"),
    "a field that fills itself": migrations.RemoveField("thing", "count"),
    "pairs": migrations.RemoveField("thing", "friends"),
    "a table": migrations.DeleteModel("Thing"),
    "that it may be empty": migrations.AlterField("thing", "note", models.TextField()),
    "that it fills itself": migrations.AlterField("thing", "count", models.IntegerField()),
}
ALONE: dict[str, Operation] = {
    "a field that older code leaves empty": migrations.AddField("thing", "more", models.IntegerField(default=1)),
    "a field that newer code leaves empty": migrations.RemoveField("thing", "size"),
    "another name": migrations.RenameField("thing", "size", "width"),
    "another name of a table": migrations.RenameModel("Thing", "Item"),
    "another table": migrations.AlterModelTable("thing", "things"),
    "another column": migrations.AlterField("thing", "size", models.IntegerField(db_column="width")),
    "another type": migrations.AlterField("thing", "size", models.TextField()),
    "shorter text": migrations.AlterField("thing", "name", models.CharField(max_length=19)),
    "a smaller number": migrations.AlterField("thing", "size", models.SmallIntegerField()),
    "a rule": migrations.AddConstraint("thing", RULE),
    "being unique": migrations.AlterField("thing", "name", models.CharField(max_length=20, unique=True)),
    "being unique together": migrations.AlterUniqueTogether("thing", {("name", "size")}),
    "SQL that drops": migrations.RunSQL(["ALTER TABLE shop_thing\n  drop column size"]),
    "SQL that renames": migrations.RunSQL([("ALTER TABLE shop_thing RENAME size TO width", None)]),
    "SQL that demands": migrations.RunSQL("ALTER TABLE shop_thing ALTER COLUMN note SET NOT NULL"),
    "SQL that turns": migrations.RunSQL('ALTER TABLE shop_thing ALTER COLUMN "size" TYPE bigint'),
}


@pytest.mark.parametrize("what", BEFORE)
def test_what_older_code_can_live_with_comes_before_the_newer(what: str) -> None:
    assert looked_at(BEFORE[what]) == Judged(("shop", "0002_more"), Stage.BEFORE)


@pytest.mark.parametrize("what", AFTER)
def test_what_takes_away_waits_for_the_last_older_process(what: str) -> None:
    assert looked_at(AFTER[what]) == Judged(("shop", "0002_more"), Stage.AFTER)


@pytest.mark.parametrize("what", ALONE)
def test_what_one_of_them_cannot_live_with_is_a_problem_unless_it_says_so(what: str) -> None:
    found = looked_at(ALONE[what])
    assert found.stage is Stage.ALONE
    assert len(found.problems) == 1
    for stage in Stage:
        assert looked_at(ALONE[what], rollout=stage.value) == Judged(found.key, stage)


def test_adding_and_taking_away_are_two_migrations() -> None:
    found = looked_at(BEFORE["a field that may be empty"], AFTER["a field that may be empty"])
    assert found.stage is Stage.ALONE
    assert "make two migrations of it" in found.problems[0]


def test_what_an_operation_finds_is_what_those_before_it_have_left() -> None:
    assert looked_at(
        migrations.AddField("thing", "more", models.IntegerField(null=True)),
        migrations.AlterField("thing", "more", models.BigIntegerField(null=True)),
    ) == Judged(("shop", "0002_more"), Stage.BEFORE)


def test_a_table_that_the_migration_makes_may_be_changed_in_it() -> None:
    made = migrations.CreateModel("Other", [ID, ("size", models.IntegerField())])
    changes = (migrations.RenameField("other", "size", "width"), migrations.AddConstraint("other", RULE))
    assert looked_at(made, *changes).stage is Stage.BEFORE


def test_a_word_that_it_does_not_know_is_a_problem() -> None:
    assert "it can be" in looked_at(rollout="soon").problems[0]


def test_none_of_our_own_migrations_stops_a_deploy_without_saying_so() -> None:
    own = (
        "plugin_framework",
        "catalog",
        "delivery",
        "tenants",
        "accounts",
        "throttle",
        "orders_plugin",
        "webhooks_plugin",
    )
    found = {key: each for key, each in judged().items() if key[0] in own}
    assert len(found) > 10
    assert [each for each in found.values() if each.problems] == []
