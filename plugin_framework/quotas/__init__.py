"""Quotas: how much of the platform a tenant's plan allows, how much is used, and what happens at the limit."""

from plugin_framework.quotas.facts import bind, lock, plan, usage, usages, usages_under
from plugin_framework.quotas.kinds import NEAR, Kind, Level, QuotaExceeded, Usage
from plugin_framework.quotas.notices import NOTICE, due, tell, told_of_refusals
from plugin_framework.quotas.storage import bind_files, check, release_storage, reserve_storage

__all__ = [
    "NEAR",
    "NOTICE",
    "Kind",
    "Level",
    "QuotaExceeded",
    "Usage",
    "bind",
    "bind_files",
    "check",
    "due",
    "lock",
    "plan",
    "release_storage",
    "reserve_storage",
    "tell",
    "told_of_refusals",
    "usage",
    "usages",
    "usages_under",
]
