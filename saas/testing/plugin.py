"""The pytest plugin for authors: put ``pytest_plugins = ["saas.testing.plugin"]`` into the conftest.py of your tests.

Everything is real: PostgreSQL with two organisations, in a database of each test's own; a mail server and an HTTP server on loopback;
and the code of the worker, which runs in the test's own process so that `caplog`, a debugger and coverage see your handlers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import pytest

from saas.testing.receivers import MailServer, WebhookServer, mail_server, webhook_server
from saas.testing.server import (
    Tenants,
    committed_db,
    django_db_setup,
    media_root,
    pytest_sessionfinish,
    pytest_sessionstart,
    template_database,
    two_tenants,
)

__all__ = [
    "committed_db",
    "django_db_setup",
    "media_root",
    "pytest_sessionfinish",
    "pytest_sessionstart",
    "template_database",
]


class EnabledPlugin(Protocol):
    """What the fixture `enabled_plugin` gives."""

    def __call__(self, config: Mapping[str, Any] | None = None, *, name: str = "") -> Any: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which plugin a package's tests are about."""
    parser.addini("tenantry_plugin", "The name of the plugin that these tests are about.", default="")


@pytest.fixture(scope="session")
def plugin_name(request: pytest.FixtureRequest) -> str:
    """The plugin that the tests are about: `tenantry_plugin` in the pytest section of pyproject.toml. Override it for another."""
    return str(request.config.getini("tenantry_plugin"))


@pytest.fixture
def author_tenants(committed_db: str) -> Tenants:
    """Both organisations, in a database of this test's own in which commits are real."""
    return two_tenants()


@pytest.fixture
def tenant(author_tenants: Tenants) -> Iterator[Any]:
    """An organisation; the test runs inside it. Nothing is enabled."""
    from plugin_framework.tenancy import tenant_scope

    with tenant_scope(author_tenants.acme) as ref:
        yield ref


@pytest.fixture
def other_tenant(author_tenants: Tenants) -> Any:
    """Another organisation, in the same database; nothing is enabled there either."""
    return author_tenants.globex


@pytest.fixture
def enabled_plugin(tenant: Any, plugin_name: str) -> EnabledPlugin:
    """`enabled_plugin(config)`: configure and enable the plugin, and what it needs, in `tenant`; its running instance.

    Secrets stand in `config` like everything else. `name=` enables another installed plugin.
    """
    from saas.testing import actions

    def run(config: Mapping[str, Any] | None = None, *, name: str = "") -> Any:
        return actions.enable(name or plugin_name, config)

    return run


@pytest.fixture
def emit(tenant: Any) -> Callable[..., list[Any]]:
    """`emit(hook, *args)`: emit an event in `tenant`, commit, and let the worker's code deliver what is due; the deliveries.

    Each has `plugin`, `handler`, `state` (`done`, `due` for one that will be tried again, `dead`), `attempts` and `last_error`.
    """
    from saas.testing import actions

    return actions.emit_and_deliver


@pytest.fixture
def deliver(tenant: Any) -> Callable[[], list[Any]]:
    """`deliver()`: let the worker's code deliver what is due, for tests in which a page emits; all deliveries of `tenant`."""
    from saas.testing import actions

    return actions.deliver


@pytest.fixture
def run_job(tenant: Any, plugin_name: str) -> Callable[[str], Any]:
    """`run_job(method)`: let the time of a job of your plugin come in `tenant`; its delivery, as `emit` gives them."""
    from saas.testing import actions

    return lambda job: actions.run_job(plugin_name, job)


@pytest.fixture
def sent_mail() -> Iterator[MailServer]:
    """A mail server on loopback. `host`, `port`, `user` and `password` reach it; `mails` is what it was given."""
    with mail_server() as found:
        yield found


@pytest.fixture
def received_http() -> Iterator[WebhookServer]:
    """An HTTP server on loopback. `url` reaches it, `posts` is what it was given; it answers with `status`, 200 at first."""
    with webhook_server() as found:
        yield found


@pytest.fixture
def assert_isolated(author_tenants: Tenants) -> Callable[[str], None]:
    """`assert_isolated(canary)`: a text that was put into `tenant` is there, and nowhere in `other_tenant` or what all share."""
    from saas.testing import actions

    return lambda canary: actions.assert_isolated(canary, author_tenants.acme, author_tenants.globex)
