"""The page of monitoring says what there is to watch, and every alert on it asks for something that is really there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from plugin_framework.metrics.names import ALL, Metric
from saas.logs import CONTEXT
from saas.watch import exposition, readiness

PAGE = (Path(__file__).resolve().parents[2] / "docs/operations/monitoring.md").read_text("utf-8")
ALERTS = re.findall(r"### (.+?)\n\n```promql\n(.+?)```\n\n(\w+)", PAGE, re.DOTALL)
_NAME = re.compile(r"\btenantry_\w+")
_CHOICE = re.compile(r'(\w+)(?:=~|!~|!=|=)"')
_BY = re.compile(r"\bby \(([^)]*)\)")


def metric_of(name: str) -> Metric | None:
    """The one that a series of this name belongs to."""
    for metric in ALL:
        series = (
            {f"{metric.name}_{end}" for end in ("bucket", "sum", "count")}
            if metric.kind == "histogram"
            else {metric.name}
        )
        if name in series:
            return metric
    return None


def test_the_table_lists_every_metric_with_its_kind_and_labels() -> None:
    rows = re.findall(r"^\| `(tenantry_\w+)` \| (\w+) \| ?(.*?) ?\|$", PAGE, re.MULTILINE)
    listed = {name: (kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    assert listed == {metric.name: (metric.kind, metric.labels) for metric in ALL}


def test_the_names_are_those_of_the_page_that_is_served(db: None) -> None:
    served = {family.name for family in text_string_to_metric_families(exposition.text().decode())}
    assert served == {metric.name.removesuffix("_total") for metric in ALL}


def test_there_is_an_alert_with_what_to_do_for_every_metric() -> None:
    assert len(ALERTS) == PAGE.count("```promql") == PAGE.count("\n### ")
    asked = {metric_of(name) for _, query, _ in ALERTS for name in _NAME.findall(query)}
    told = {metric for metric in ALL if metric.name in ("tenantry_lanes_due",)}  # a number beside its lag
    assert asked | told == set(ALL)


@pytest.mark.parametrize(("title", "query"), [(title, query) for title, query, _ in ALERTS])
def test_an_alert_asks_for_series_and_labels_that_exist(title: str, query: str) -> None:
    known = {"job", "le"}
    for name in _NAME.findall(query):
        metric = metric_of(name)
        assert metric is not None, f"{name} is no series"
        known |= set(metric.labels)
    used = {*_CHOICE.findall(query)} | {label.strip() for group in _BY.findall(query) for label in group.split(",")}
    assert used <= known
    assert query.count("(") == query.count(")")


def test_what_a_line_and_the_readiness_can_say_is_named() -> None:
    for word in (*CONTEXT, *readiness.NAMES, "exception", "schema", "METRICS_TOKEN", "METRICS_DIR", "LOG_FORMAT"):
        assert f"`{word}`" in PAGE or f"{word}=" in PAGE
