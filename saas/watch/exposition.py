"""Writes down all metrics as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from plugin_framework.metrics import seats
from plugin_framework.metrics.names import ASKED, COUNTED, Metric
from saas.watch.gauges import gauges


def text() -> bytes:
    """What all processes of this machine have counted, and what the database says now."""
    everything = CollectorRegistry()  # ours alone: the library's own would add what this one process happens to be
    everything.register(_Everything())
    return generate_latest(everything)


class _Everything(Collector):
    """Hands the library what we know, in its own terms."""

    def collect(self) -> Iterator[Family]:
        """Every metric; those without a sample too, so that whoever looks sees what there is."""
        totals = seats.read(Path(settings.METRICS_DIR))
        for metric in COUNTED:
            found = {labels: numbers for (name, labels), numbers in totals.items() if name == metric.name}
            yield _counted(metric, found)
        asked = gauges()
        for metric in ASKED:
            gauge = GaugeMetricFamily(metric.name, metric.meaning, labels=metric.labels)
            for labels, value in sorted(asked.get(metric, {}).items()):
                gauge.add_metric(labels, value)
            yield gauge

    def describe(self) -> list[Family]:
        """Nothing: the library would collect everything once more to see what is there."""
        return []


def _counted(metric: Metric, found: dict[tuple[str, ...], list[float]]) -> Family:
    if metric.kind == "counter":
        counter = CounterMetricFamily(metric.name, metric.meaning, labels=metric.labels)
        for labels, numbers in sorted(found.items()):
            counter.add_metric(labels, numbers[0])
        return counter
    histogram = HistogramMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for labels, numbers in sorted(found.items()):
        histogram.add_metric(labels, list(_buckets(metric, numbers)), sum_value=numbers[0])
    return histogram


def _buckets(metric: Metric, numbers: list[float]) -> Iterator[tuple[str, float]]:
    """Each bound with how many were at most that."""
    so_far = 0.0
    for bound, number in zip([*map(str, metric.bounds), "+Inf"], numbers[1:], strict=False):
        so_far += number
        yield bound, so_far
