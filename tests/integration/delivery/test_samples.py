"""Sample events: the way of all deliveries, with arguments that were made up, marked, and tried once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import SYSTEM, Actor
from plugin_framework.catalog.offers import set_offer
from plugin_framework.delivery import breaker, rows, sample
from plugin_framework.delivery.breaker import THRESHOLD
from plugin_framework.delivery.payload import freeze, thaw
from plugin_framework.delivery.redeliver import redeliver
from plugin_framework.models import AuditEntry, Delivery
from plugin_framework.points import CORE
from plugin_framework.registry import registry
from plugin_framework.sdk import NotAllowed, SampleFor, TenantInfo, emit, hook
from plugin_framework.tenancy import TenantRef, tenant_scope
from plugins.orders_plugin.models import Order
from saas.testing.people import person
from tests.dummies import pages
from tests.dummies.kitchen_sink import KitchenSink, told
from tests.support.plans import limit
from tests.support.queue import work_off

SINK, PAGE = "kitchen_sink", "/settings/plugins/kitchen_sink/sample/"
ADA = Actor("ada@acme.example")
FITTING = {"label": "Works", "level": 1, "tags": ["a"]}


class Neighbour(KitchenSink):
    """Hears of the same events."""

    name, declares = "neighbour", ()

    @hook("tap_opened")
    def on_opened(self, what: dict[str, Any]) -> None:
        super().on_opened(what)
        emit("tap_stolen", "it")


@pytest.fixture
def acme(committed_db: str, tenants: Any) -> Iterator[TenantRef]:
    """The test works inside `acme`, where two plugins hear of the same event."""
    with pages.installed(KitchenSink, Neighbour), tenant_scope(tenants.acme):
        for name in (SINK, "neighbour"):
            configuration.configure(name, SYSTEM, FITTING)
            lifecycle.enable(name, SYSTEM)
        told.clear()
        yield tenants.acme


@pytest.fixture
def ada(acme: TenantRef) -> Any:
    return person(acme, "admin", "ada@acme.example")


def _send(ada: Any, hook: str = "tap_opened") -> Delivery:
    [sent] = sample.send(SINK, hook, ADA, ada)
    return sent


def test_a_sample_reaches_the_chosen_plugin_alone_and_is_marked_everywhere(acme: TenantRef, ada: Any) -> None:
    sent = _send(ada)
    work_off()
    assert told == [({"for": "ada@acme.example", "in": "acme"}, True)]
    sent.refresh_from_db()
    assert (sent.sample, sent.state, sent.plugin) == (True, "done", SINK)
    entry = AuditEntry.objects.get(action="delivery.sampled")
    assert (entry.actor, entry.target) == ("ada@acme.example", SINK)
    assert entry.detail == {"hook": "tap_opened", "deliveries": [sent.pk]}


def test_what_is_emitted_while_a_sample_is_handled_is_marked_as_one_too(acme: TenantRef, ada: Any) -> None:
    sample.send("neighbour", "tap_opened", ADA, ada)
    work_off()
    assert {row.plugin: row.sample for row in Delivery.objects.filter(hook="tap_stolen")} == {
        SINK: True,
        "neighbour": True,
    }


def test_one_that_fails_is_not_tried_again_unless_it_is_sent_again(acme: TenantRef, ada: Any) -> None:
    configuration.configure(SINK, SYSTEM, {**FITTING, "label": "Broken"})
    sent = _send(ada)
    work_off()
    sent.refresh_from_db()
    assert (sent.state, sent.attempts) == ("dead", 1)
    assert sent.last_error == "A sample is tried once. RuntimeError: the pipe is broken"
    configuration.configure(SINK, SYSTEM, FITTING)
    redeliver(sent.pk, ADA)
    work_off()
    sent.refresh_from_db()
    assert (sent.state, told[-1][1]) == ("done", True)


def test_samples_that_fail_do_not_hold_up_what_is_real(acme: TenantRef, ada: Any) -> None:
    configuration.configure(SINK, SYSTEM, {**FITTING, "label": "Broken"})
    for _ in range(THRESHOLD + 1):
        _send(ada)
    work_off()
    assert breaker.rests() == {}


def test_the_gate_the_offer_and_a_pause_are_asked_first(acme: TenantRef, ada: Any) -> None:
    breaker.pause(SINK, ADA)
    with pytest.raises(NotAllowed, match=r"paused by ada@acme\.example"):
        _send(ada)
    breaker.resume(SINK, ADA)
    set_offer(SINK, "withdrawn", message="It leaks.")
    with tenant_scope(acme), pytest.raises(NotAllowed, match="It leaks"):
        _send(ada)
    set_offer(SINK, "everyone")
    with tenant_scope(acme):
        lifecycle.disable(SINK, SYSTEM)
        with pytest.raises(NotAllowed, match="does not run here"):
            _send(ada)
    assert not Delivery.objects.filter(plugin=SINK, sample=True).exists()


def test_what_waits_when_the_plugin_is_disabled_is_cancelled_like_everything_else(acme: TenantRef, ada: Any) -> None:
    sent = _send(ada)
    lifecycle.disable(SINK, SYSTEM)
    work_off()
    sent.refresh_from_db()
    assert (sent.state, told) == ("cancelled", [])


@pytest.mark.parametrize("hook", ["tap_dripped", "tap_stolen", "user_registered", "nonsense", ""])
def test_without_a_sample_nothing_is_sent_and_a_sentence_says_why(acme: TenantRef, ada: Any, hook: str) -> None:
    with pytest.raises(NotAllowed, match="sample"):
        _send(ada, hook)
    assert not Delivery.objects.filter(sample=True).exists()


def test_every_event_of_the_platform_and_the_built_in_plugins_has_a_sample_that_can_be_delivered(
    acme: TenantRef, ada: Any
) -> None:
    points = [*CORE, *(point for name in ("orders",) for point in registry.specs[name].cls.declares)]
    for point in points:
        if point.kind == "event":
            args, frozen = sample.arguments(point, ada)
            assert len(thaw(frozen)) == len(args) == len(point.args), point.name


def test_a_row_that_was_never_saved_reaches_the_handler_as_it_was_made_up(acme: TenantRef, ada: Any) -> None:
    lifecycle.enable("orders", SYSTEM)
    point = registry.points["order_confirmed"]
    assert point.sample is not None
    [made] = point.sample(SampleFor(ada, TenantInfo("acme", "Acme", "acme.localhost")))
    [order] = thaw(freeze([made], made_up=True))
    assert isinstance(order, Order)
    assert (order.customer_email, order.total, order.confirmed_at) == (ada.email, made.total, made.confirmed_at)
    assert list(order.lines.all()) == []
    with pytest.raises(TypeError, match="unsaved"):
        freeze([made])
    assert not Order.objects.exists()


def test_a_sample_counts_as_one_of_the_days_deliveries_and_waits_once_they_are_used_up(
    acme: TenantRef, ada: Any
) -> None:
    limit(acme, deliveries=1)
    with tenant_scope(acme):
        first, second = _send(ada), _send(ada)
        work_off()
        assert rows.begun_today(acme.schema) == 1
        assert [Delivery.objects.get(pk=each.pk).standing for each in (first, second)] == ["done", "held"]


def test_the_page_offers_what_there_is_sends_it_and_leads_to_the_delivery(
    acme: TenantRef, ada: Any, client_for: Callable[..., Client]
) -> None:
    admin = client_for(acme, ada)
    text = admin.get(PAGE).content.decode()
    for shown in ("Somebody opened the tap.", "ada@acme.example", "could not be made", "The tap is gone."):
        assert shown in text, shown
    answer = admin.post(PAGE, {"event": "tap_opened"})
    with tenant_scope(acme):
        sent = Delivery.objects.get(sample=True)
    assert answer["Location"] == f"/settings/plugins/kitchen_sink/deliveries/{sent.pk}/"
    for url in (answer["Location"], "/settings/plugins/kitchen_sink/deliveries/", "/settings/deliveries/"):
        assert '<span class="sample-mark">Sample</span>' in admin.get(url).content.decode()
    assert "sent a sample event to" in admin.get("/settings/audit/").content.decode()
    assert admin.post(PAGE, {"event": "nonsense"}).status_code == 409
    assert client_for(acme, person(acme, "member")).get(PAGE).status_code == 403


def test_the_page_tells_of_events_in_the_readers_language(
    acme: TenantRef, ada: Any, client_for: Callable[..., Client]
) -> None:
    lifecycle.enable("orders", SYSTEM)
    configuration.configure("invoices", SYSTEM, {"seller_address": "1 Road"})
    lifecycle.enable("invoices", SYSTEM)
    with translation.override("en"):  # as it is again behind a request
        page = client_for(acme, ada).get("/settings/plugins/invoices/sample/", headers={"accept-language": "de"})
    assert [each.doc for each in page.context["choices"]] == ["Eine Bestellung wurde bestätigt."]
