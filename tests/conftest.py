"""Fixtures for all our tests: the databases of `saas.testing`, two tenants, clients."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.template import Context
from django.template.base import Template
from django.test import Client
from django.test.signals import template_rendered
from django.utils import translation
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.server import Tenants, two_tenants

pytest.register_assert_rewrite("tests.support")  # what fails in there says with which values, as in a test
pytest_plugins = ["saas.testing.plugin"]
collect_ignore = ["packages"]  # other people's projects: installed by our tests, not part of them


NEEDED = {"citus": "CITUS_URL", "tracking_pooler": "PGBOUNCER_TRACKING"}  # what no package gives us: marker, variable


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of what this machine has not are not part of the run, and are counted as deselected."""
    lacking = {marker for marker, variable in NEEDED.items() if not os.environ.get(variable)}
    left_out = [item for item in items if lacking & {mark.name for mark in item.iter_markers()}]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session", autouse=True)
def told_of_whole_pages(django_test_environment: None) -> Iterator[None]:
    """`answer.context` is what the whole page was given; Django also keeps a copy for each of its parts, a tenth of its time or more."""

    def draw(template: Template, context: Context) -> str:
        if context.template is template:  # it is not included by another, nor extended
            template_rendered.send(sender=template, template=template, context=context)
        return template.nodelist.render(context)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Template, "_render", draw)
        yield


@pytest.fixture(scope="session", autouse=True)
def static_files_found_once() -> Iterator[None]:
    """Each test client loads the middleware anew, and with it the list of all static files: this process makes one for each set of apps."""
    found: dict[tuple[str, ...], dict[str, StaticFile]] = {}
    find = WhiteNoiseMiddleware.add_files_from_finders

    def add(self: WhiteNoiseMiddleware) -> None:
        known = tuple(app.name for app in apps.get_app_configs())
        if known not in found:
            find(self)
            found[known] = self.files
        self.files = found[known]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", add)
        yield


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    """A request leaves its language to the thread, which here goes on to the next test."""
    yield
    translation.deactivate()


@pytest.fixture
def counted() -> Callable[[str, int], None]:
    """`counted(what, number)`: what a storm has done, for the report of `make test-storm`."""

    def note(what: str, number: int) -> None:
        if path := os.environ.get("STORM_COUNTS"):
            with Path(path).open("a") as report:
                report.write(json.dumps([what, number]) + "\n")

    return note


@pytest.fixture
def tenants(request: pytest.FixtureRequest) -> Tenants:
    """`acme` and `globex`; in the test's own database if it uses `committed_db`, else in one that is rolled back."""
    request.getfixturevalue("media_root")
    request.getfixturevalue("committed_db" if "committed_db" in request.fixturenames else "db")
    return two_tenants()


@pytest.fixture
def client_for(tenants: Tenants) -> Callable[..., Client]:
    """`client_for(tenant)`, or `client_for(tenant, user)` for one who is signed in there."""

    def make(ref: TenantRef | None = None, user: object = None, **extra: object) -> Client:
        client = Client(headers={"host": ref.host if ref else settings.BASE_DOMAIN}, **extra)
        if user is not None:
            assert ref is not None
            with tenant_scope(ref):
                client.force_login(user)
        return client

    return make
