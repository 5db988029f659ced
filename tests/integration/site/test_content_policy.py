"""Every answer carries the content security policy, and no page has in it what the policy would block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone
from django.utils.csp import build_policy

from plugin_framework.tenancy import TenantRef, public_scope
from saas.content_policy import HEADER, ContentPolicyMiddleware
from saas.testing.people import person
from tenants.models import State, Tenant
from tenants.provisioning import ensure_platform
from tests.conftest import Tenants
from tests.isolation.test_route_matrix import ask, undone
from tests.support.markup import inline
from tests.support.matrix import addresses, furnish, table

MAIL = "email_plugin/message.html"  # mail programs know no style sheets


@pytest.fixture
def clients(tenants: Tenants, client_for: Callable[..., Client]) -> dict[str, Client]:
    """Those who may do most on each host."""
    platform = ensure_platform()
    found = {"public": client_for(), "nobody": client_for(tenants.acme)}
    for host, ref in (("tenant", tenants.acme), ("platform", platform)):
        found[host] = client_for(ref, person(ref, "owner", f"owner@{ref.slug}.example"))
    for client in found.values():
        client.raise_request_exception = False
    return found


def faults(answer: Any) -> list[str]:
    """What in an answer is not as the policy wants it."""
    found = [] if answer.headers.get(HEADER, "").endswith(build_policy(settings.SECURE_CSP)) else ["no policy"]
    found += [] if answer.headers.get("X-Frame-Options") == "DENY" else ["may be framed"]
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        found += inline(content.decode())
    return found


def asked(clients: dict[str, Client], acme: TenantRef) -> Iterator[tuple[str, Any]]:
    """Every route, looked at and sent an empty form; those of an organisation as a stranger too."""
    own = furnish(acme, foreign=False)
    for row in table().values():
        who = [row.host, "nobody"] if row.host == "tenant" else [row.host]
        for path in addresses(row.route, own, own).values():
            for name in who:
                for method in ("GET", "POST"):
                    with undone():
                        yield f"{method} {path} as {name}", ask(clients[name], method, path)


def test_every_route_answers_with_the_policy_and_keeps_to_it(clients: dict[str, Client], tenants: Tenants) -> None:
    pages, odd = 0, {}
    for what, answer in asked(clients, tenants.acme):
        pages += answer.status_code == 200
        if found := faults(answer):
            odd[what] = found
    assert odd == {}
    assert pages > 70


def test_what_answers_before_any_page_has_the_policy_too(clients: dict[str, Client], tenants: Tenants) -> None:
    answers = {
        path: clients["public"].get(path) for path in ("/healthz", "/readyz", "/metrics", "/static/tenantry/base.css")
    }
    answers["unknown host"] = clients["public"].get("/", headers={"host": "nobody.localhost"})
    answers["no host"] = clients["public"].get("/", headers={"host": "a b"})
    with public_scope():
        for state in (State.SUSPENDED, State.PROVISIONING, State.DELETING):
            purged = timezone.now() if state is State.DELETING else None
            Tenant.objects.filter(slug="acme").update(state=state, purge_at=purged)
            answers[state] = clients["nobody"].get("/")
        Tenant.objects.filter(slug="acme").update(state=State.ACTIVE, purge_at=None)
    assert {what: found for what, answer in answers.items() if (found := faults(answer))} == {}
    assert (answers["no host"].status_code, answers[State.SUSPENDED].status_code) == (400, 503)


def test_a_page_that_breaks_and_a_form_from_elsewhere_have_the_policy_too(
    clients: dict[str, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr("saas.site.dashboard.panels", broken)
    answer = clients["tenant"].get("/")
    assert (answer.status_code, faults(answer)) == (500, [])
    clients["tenant"].handler.enforce_csrf_checks = True  # type: ignore[attr-defined]  # Django's test handler
    answer = clients["tenant"].post("/settings/people/invite/")
    assert (answer.status_code, faults(answer)) == (403, [])


def test_no_template_has_in_it_what_the_policy_blocks() -> None:
    """Also those parts that no page of the test above has shown."""
    folders = [settings.BASE_DIR / "templates", *settings.BASE_DIR.glob("plugins/*/templates")]
    templates = [path for folder in folders for path in folder.rglob("*.html") if not str(path).endswith(MAIL)]
    assert len(templates) > 100
    assert {str(path): found for path in templates if (found := inline(path.read_text("utf-8")))} == {}


def test_the_policy_lets_nothing_inline_and_nothing_foreign_run() -> None:
    sources = {source for sources in settings.SECURE_CSP.values() for source in sources}
    assert sources == {"'self'", "'none'", f"*.{settings.BASE_DOMAIN}:*"}
    assert settings.SECURE_CSP["form-action"][1] == f"*.{settings.BASE_DOMAIN}:*"
    assert settings.SECURE_CSP["default-src"] == ["'none'"]


@pytest.mark.parametrize(
    ("own", "sent"),
    [
        ({}, "{ours}"),
        ({"header": "sandbox"}, "sandbox, {ours}"),
        ({"config": {}}, "{ours}"),
        ({"config": {"script-src": ["'unsafe-inline'"]}}, "script-src 'unsafe-inline', {ours}"),
    ],
)
def test_a_page_can_make_the_policy_stricter_and_not_looser(own: dict[str, Any], sent: str) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        response = HttpResponse("x", headers={HEADER: own["header"]} if "header" in own else {})
        if "config" in own:
            response._csp_config = own["config"]  # type: ignore[attr-defined]  # as Django's decorator does
        return response

    answer = ContentPolicyMiddleware(view)(RequestFactory().get("/"))
    assert answer.headers[HEADER] == sent.format(ours=build_policy(settings.SECURE_CSP))


@pytest.mark.parametrize(
    "page",
    [
        "<p style='color:red'>x</p>",
        "<style>p{}</style>",
        "<script>run()</script>",
        "<button onclick=run()>x</button>",
        "<a href=' JavaScript:run()'>x</a>",
        "<div hx-on:click='run()'>x</div>",
        "<div hx-get='/' hx-trigger='keyup[ctrlKey]'>x</div>",
        "<div hx-vals='js:{a: 1}'>x</div>",
        "<script src='https://cdn.example/x.js'></script>",
        "<link rel=stylesheet href='//cdn.example/x.css'>",
    ],
)
def test_the_search_finds_what_the_policy_blocks(page: str) -> None:
    assert len(inline(page)) == 1
