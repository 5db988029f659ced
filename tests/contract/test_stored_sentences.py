"""What one process stored, another one says in its reader's language: each has to know all sentences from its start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("plugin_framework", "tenants", "saas", "plugins")
PAGES = """
import sys
from importlib import import_module
import django
django.setup()
from django.conf import settings
for pages in (settings.ROOT_URLCONF, settings.PUBLIC_URLCONF, settings.PLATFORM_URLCONF):
    import_module(pages)
"""
WORKER = """
import sys
import django
django.setup()
import plugin_framework.delivery.supervisor, plugin_framework.delivery.child
"""
SAID = """
from django.utils import translation
from plugin_framework.sdk._words import reread
with translation.override("de"):
    print(reread("Held back: It took longer than 30 s and was stopped."))
"""


def run(code: str) -> list[str]:
    """What a process of its own prints that runs `code`."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def with_sentences() -> set[str]:
    """The modules that make a sentence."""
    paths = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    found = (path.relative_to(ROOT) for path in paths if "Phrase(" in path.read_text("utf-8"))
    return {".".join(path.with_suffix("").parts) for path in found}


def test_a_process_that_serves_pages_has_loaded_every_module_that_makes_a_sentence() -> None:
    made = with_sentences()
    assert {"plugin_framework.delivery.lane_run", "plugins.webhooks_plugin.sending"} <= made
    assert made - set(run(PAGES + "print(*sys.modules, sep='\\n')")) == set()


@pytest.mark.parametrize("process", [PAGES, WORKER], ids=["pages", "worker"])
def test_what_a_worker_stored_is_said_in_german_by_a_process_that_has_just_started(process: str) -> None:
    assert run(process + SAID) == ["Zurückgehalten: Es dauerte länger als 30 s und wurde angehalten."]
