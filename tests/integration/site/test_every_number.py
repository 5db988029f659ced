"""Every page with many of everything: what people count has its thousands set apart as their language does, and no id has."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.template import Context, Template
from django.test import Client
from django.utils import translation

from plugin_framework.sdk._counts import Counted
from plugin_framework.tenancy import public_scope, tenant_scope
from saas.templatetags.tenantry import counted
from saas.testing.people import person
from tenants.provisioning import ensure_platform
from tests.conftest import Tenants
from tests.isolation.test_route_matrix import ask, undone
from tests.support.matrix import Furnished, addresses, furnish, table
from tests.support.numbers import Numbers, numbers
from tests.support.templates import ROOT, sources

IDS = re.compile(r"7\d{5}\b")  # `furnish` counts a foreign organisation's rows from 700,001
YEAR = re.compile(r"20\d\d\b")
MANY = """
INSERT INTO plugin_framework_auditentry (at, actor, action, target, detail)
    SELECT now(), 'ada@acme.example', 'plugin.purged', 'x', '{"deliveries": 12345, "files": 23456, "rows": {"a_table": 34567}}'
    FROM generate_series(1, 60000);
INSERT INTO plugin_framework_delivery (event_id, hook, plugin, handler, payload, idempotency_key, state, attempts, fence, created_at,
    finished_at, last_error)
    SELECT gen_random_uuid(), 'order_confirmed', 'orders', 'x', '[]', gen_random_uuid(), state, 12345, 0, now(), now(),
    'The plan Basic includes 12,345 deliveries a day: it waits for midnight UTC, or a larger plan.'
    FROM generate_series(1, 1500), unnest(ARRAY['due', 'done', 'dead']) AS state;
INSERT INTO plugin_framework_deliveryattempt (delivery_id, number, started_at, duration_ms, outcome, host, method, error, answer)
    SELECT id, 1234, now(), 987654321, CASE state WHEN 'done' THEN 'done' ELSE 'failed' END, '', '', '', ''
    FROM plugin_framework_delivery;
UPDATE plugin_framework_delivery SET attempts = 12345;
INSERT INTO orders_plugin_order (plugin_name, customer_name, customer_email, currency, total, state, note, revision, created_at, updated_at)
    SELECT 'orders', 'Carl', 'c@example.com', 'EUR', 1, state, '', 54321, now(), now()
    FROM generate_series(1, 20000), unnest(ARRAY['draft', 'confirmed', 'cancelled']) AS state;
INSERT INTO orders_plugin_orderline (order_id, position, description, quantity, unit_price)
    SELECT id, 1, 'Rocket', 54321, 1 FROM orders_plugin_order ORDER BY id LIMIT 1;
INSERT INTO webhooks_plugin_waiting (endpoint_id, message, event, body, owed_by, released)
    SELECT id, n::text, 'x', '', '', false FROM webhooks_plugin_endpoint, generate_series(1, 1234) AS n;
UPDATE webhooks_plugin_endpoint SET failing_since = now();
"""


SHOW_MANY = (
    "/",
    "/settings/audit/",
    "/settings/plugins/orders/",
    "/settings/plugins/orders/purge/",
    "/settings/plugins/orders/deliveries/",
    "/settings/plugins/orders/deliveries/700001/",
    "/settings/deliveries/",
    "/apps/orders/",
    "/apps/orders/700001/",
    "/apps/webhooks/",
    "/apps/webhooks/700001/",
)


@pytest.fixture
def own(committed_db: None, tenants: Tenants) -> Furnished:
    """acme with more than a thousand of everything, and ids of six digits.

    In a database of its own: what is rolled back leaves its tables as large as they were, and others measure them.
    """
    furnished = furnish(tenants.acme, foreign=True)
    with tenant_scope(tenants.acme), connection.cursor() as cursor:
        cursor.execute(MANY)
    return furnished


def pages(own: Furnished, client: Client, host: str) -> Iterator[tuple[str, str]]:
    """Every page of a host as `client` gets it, with its address."""
    for row in table().values():
        if row.host == host:
            path = addresses(row.route, own, own)["own"]
            with undone():
                answer: Any = ask(client, "GET", path)
            if answer.headers.get("Content-Type", "").startswith("text/html") and not answer.streaming:
                yield path, answer.content.decode()
            elif answer.streaming:
                b"".join(answer.streaming_content)


def strange(found: list[str]) -> list[str]:
    return [each for each in found if not IDS.match(each) and not YEAR.match(each)]


def read(own: Furnished, client: Client, host: str) -> Iterator[tuple[str, str, Numbers]]:
    """The numbers of every page, in German and in English: the address, the sign between thousands, and they."""
    for language, sign in (("de", "."), ("en", ",")):
        client.defaults["HTTP_ACCEPT_LANGUAGE"] = language
        yield from ((path, sign, numbers(page)) for path, page in pages(own, client, host))


def test_every_count_of_an_organisation_is_set_apart_and_no_id_is(
    own: Furnished, tenants: Tenants, client_for: Callable[..., Client]
) -> None:
    client = client_for(tenants.acme, person(tenants.acme, "owner", "owner@acme.example"))
    found = list(read(own, client, "tenant"))
    assert [(path, each.spoilt) for path, _sign, each in found if each.spoilt] == []
    assert [(path, odd) for path, _sign, each in found if (odd := strange(each.plain))] == []
    assert [(path, each.apart) for path, sign, each in found if any(sign not in one for one in each.apart)] == []
    ids = {path for path, sign, each in found for one in each.apart if IDS.match(one.replace(sign, ""))}
    assert ids == set()
    assert {path for path, _sign, each in found if path in SHOW_MANY and each.apart} == set(SHOW_MANY)


ORGANISATIONS = """
INSERT INTO public.tenants_tenant (schema_name, slug, name, state, state_message, timezone, created_at, state_before)
    SELECT 't_' || lpad(n::text, 20, '0'), 'many' || n, 'Many', 'suspended', '', 'UTC', now(), '' FROM generate_series(1, 1234) AS n;
INSERT INTO public.delivery_lane (tenant_schema, plugin, next_at, owner, leased_until)
    SELECT 't_' || lpad(n::text, 20, '0'), plugin,
    CASE plugin WHEN 'later' THEN now() + interval '1 day' ELSE now() - interval '5 days' END,
    CASE plugin WHEN 'leased' THEN 'somebody' ELSE '' END, CASE plugin WHEN 'leased' THEN now() + interval '1 day' END
    FROM generate_series(1, 1234) AS n, unnest(ARRAY['waits', 'leased', 'later']) AS plugin;
INSERT INTO public.delivery_lane (tenant_schema, plugin, open_since, paused_until, trouble, paused_by, over_quota)
    SELECT 't_' || lpad(n::text, 20, '0'), 'rests', now(), now(), 'x answered 503 (Service Unavailable)', 'ada@acme.example', true
    FROM generate_series(1, 1234) AS n;
"""


def test_every_count_of_the_console_is_set_apart(
    own: Furnished, tenants: Tenants, client_for: Callable[..., Client]
) -> None:
    platform = ensure_platform()
    client = client_for(platform, person(platform, "owner", "staff@example.com"))
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(ORGANISATIONS)
    found = list(read(own, client, "platform"))
    assert [(path, each.spoilt) for path, _sign, each in found if each.spoilt] == []
    assert [(path, odd) for path, _sign, each in found if (odd := strange(each.plain))] == []
    many = {path for path, sign, each in found if any(one.startswith(f"1{sign}23") for one in each.apart)}
    assert {"/", "/tenants/", "/fleet/", "/health/"} <= many


def test_every_counter_of_the_hosts_texts_says_itself_as_people_read_it() -> None:
    found = {}
    for path in sources():
        if "plugins" not in path.relative_to(ROOT).parts[:1]:
            counters = re.findall(r"{% blocktranslate [^%]*?\bcount \w+=([\w.|:]+)", path.read_text("utf-8"))
            if plain := [each for each in counters if not each.endswith("|counted")]:
                found[str(path.relative_to(ROOT))] = plain
    assert found == {}


def test_a_count_is_a_number_to_programs_and_readable_to_people() -> None:
    many = Counted(1234567)
    assert (f"{many}", "%s" % many, "%d" % many, json.dumps([many]), many + 1) == (  # noqa: UP031
        "1,234,567", "1,234,567", "1234567", "[1234567]", 1234568,
    )  # fmt: skip
    with translation.override("de"):
        assert (str(many), counted(1234), counted("1234"), counted(None)) == ("1.234.567", 1234, "1234", None)
        said = Template("{% load tenantry %}{{ many|counted }} {{ many }}").render(Context({"many": 1234}))
        assert said == "1.234 1234"
