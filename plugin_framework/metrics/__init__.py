"""Counts what this process does, where whoever answers /metrics can read it, even after this process was killed."""

from plugin_framework.metrics.counting import counted, forget, observed, took_longer, went_through

__all__ = ["counted", "forget", "observed", "took_longer", "went_through"]
