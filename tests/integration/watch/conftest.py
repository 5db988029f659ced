"""What tests of the outside view share: a folder of counts of their own, a token, and a reader of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client, override_settings
from prometheus_client.parser import text_string_to_metric_families

from plugin_framework import metrics

TOKEN = "a-token-for-tests-" + "z" * 32


class Page:
    """What /metrics said."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        self._samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families.values()
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float | None:
        """The value of one sample, None if there is none."""
        return self._samples.get((name, frozenset(labels.items())))

    def of(self, name: str) -> dict[frozenset[tuple[str, str]], float]:
        """All samples of that name, by labels."""
        return {labels: value for (each, labels), value in self._samples.items() if each == name}


@pytest.fixture
def counts(tmp_path: Path) -> Iterator[Path]:
    """Nothing is counted yet, and whoever has TOKEN may see."""
    metrics.forget()
    with override_settings(METRICS_DIR=tmp_path / "counts", METRICS_TOKEN=TOKEN):
        yield tmp_path / "counts"
        metrics.forget()


@pytest.fixture
def scrape(counts: Path) -> Callable[[], Page]:
    """What Prometheus gets now."""

    def run() -> Page:
        answer = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200, answer.content
        return Page(answer.content.decode())

    return run
