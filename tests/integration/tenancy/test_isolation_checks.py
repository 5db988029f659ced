"""Settings with which organisations would meet each other's data are refused, by `manage.py check` and by every process that serves."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signing import Signer
from django.test import override_settings

from saas.isolation_checks import refuse_to_serve, run_checks

DEFAULT = settings.DATABASES["default"]
LOCAL = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
FILES = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
UNSAFE: list[tuple[str, dict[str, Any]]] = [
    ("E010", {"CACHES": {**settings.CACHES, "quick": LOCAL}}),
    ("E010", {"CACHES": {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "x"}}}),
    ("E011", {"STORAGES": {**settings.STORAGES, "default": FILES}}),
    ("E011", {"STORAGES": {**settings.STORAGES, "reports": FILES}}),
    ("E012", {"SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies"}),
    ("E012", {"SESSION_ENGINE": "django.contrib.sessions.backends.file"}),
    ("E012", {"SESSION_ENGINE": "django.contrib.sessions.backends.cache"}),
    ("E014", {"SESSION_COOKIE_DOMAIN": ".localhost"}),
    ("E014", {"CSRF_COOKIE_DOMAIN": ".localhost"}),
    ("E015", {"DATABASES": {"default": {**DEFAULT, "ENGINE": "django.db.backends.postgresql"}}}),
    ("E015", {"DATABASES": {"default": DEFAULT, "replica": DEFAULT}}),
    ("E016", {"DATABASES": {"default": {**DEFAULT, "OPTIONS": {**DEFAULT["OPTIONS"], "pool": True}}}}),
    ("E017", {"DATABASES": {"default": {**DEFAULT, "OPTIONS": {}}}}),
    ("E017", {"DATABASES": {"default": {**DEFAULT, "OPTIONS": {"options": "-c search_path=public"}}}}),
    ("E018", {"DATABASE_ROUTERS": ["django_tenants.routers.TenantSyncRouter"]}),
    ("E019", {"ASGI_APPLICATION": "saas.asgi.application"}),
]


def test_what_we_ship_is_fine() -> None:
    refuse_to_serve()


@pytest.mark.parametrize(("code", "changed"), UNSAFE, ids=lambda value: value if isinstance(value, str) else "")
@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
def test_an_unsafe_setting_is_refused_with_what_to_do_instead(code: str, changed: dict[str, Any]) -> None:
    with override_settings(**changed):
        found = run_checks(tags=["isolation"])
        assert {each.id for each in found} == {f"tenantry.{code}"}
        assert all(each.hint for each in found)
        with pytest.raises(ImproperlyConfigured, match=r"Leave|Use|Keep|Put|Set"):
            refuse_to_serve()


def test_signers_that_forget_the_tenant_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Signer, "signature", Signer.signature.__wrapped__)  # type: ignore[attr-defined]  # what functools.wraps leaves
    assert [each.id for each in run_checks(tags=["isolation"])] == ["tenantry.E013"]


def start(code: str, module: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": module}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=settings.BASE_DIR)


def test_a_web_process_does_not_start_with_them(tmp_path: Any) -> None:
    (tmp_path / "unsafe_settings.py").write_text(
        "from saas.settings import *\nSESSION_ENGINE = 'django.contrib.sessions.backends.signed_cookies'\n"
    )
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import saas.wsgi"
    said = start(code, "unsafe_settings")
    assert said.returncode != 0
    assert "SESSION_ENGINE is django.contrib.sessions.backends.signed_cookies" in said.stderr


def test_asgi_is_refused_with_the_reason() -> None:
    said = start("import saas.asgi", "saas.settings")
    assert said.returncode != 0
    assert "Serve saas.wsgi, with threads." in said.stderr
