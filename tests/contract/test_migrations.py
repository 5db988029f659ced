"""The migrations are the models."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command


@pytest.mark.usefixtures("tenants")
def test_no_model_has_changed_without_its_migration() -> None:
    said = io.StringIO()
    try:
        call_command("makemigrations", "--check", "--dry-run", stdout=said)
    except SystemExit as exit_:
        pytest.fail(f"makemigrations would write ({exit_.code}):\n{said.getvalue()}")
