"""Counters against abuse, shared by all processes."""

from saas.throttle.counters import allow

__all__ = ["allow"]
