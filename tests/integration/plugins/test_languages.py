"""What the built-in plugins send and store is read in the reader's language; what an admin wrote stays as it was written."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from plugin_framework import layers
from plugin_framework.registry import registry
from plugin_framework.sdk import DeadLetter, Veto, in_language_of
from plugin_framework.sdk._words import reread
from plugins.invoices_plugin.billing import NotBillable, ordered
from plugins.orders_plugin import services
from plugins.orders_plugin.models import Order
from plugins.orders_plugin.services import LineInput, OrderInput
from plugins.webhooks_plugin import sending
from plugins.webhooks_plugin.models import Endpoint
from saas.testing.receivers import MailServer, WebhookServer
from tenants.accounts.models import User
from tests.conftest import Tenants

Make = Callable[..., Any]


def speaking(language: str, email: str = "ada@acme.example", role: str = "member") -> User:
    return User.objects.create_user(email, "for-tests-only-1", name="Ada", role=role, language=language)


def german_organisation() -> None:
    speaking("de", "olga@acme.example", "owner")


def order_of(price: str = "1234.50", email: str = "carl@example.com") -> Order:
    return services.create(OrderInput("Carl", email, "EUR", (LineInput("Rocket", 2, Decimal(price)),)), None)


def test_a_welcome_is_in_the_language_of_who_is_welcomed(acme: Tenants, email_on: Make, mail: MailServer) -> None:
    german_organisation()
    plugin = email_on()
    plugin.send_welcome_email(speaking("de"))
    plugin.send_welcome_email(speaking("en", "eve@acme.example"))
    plugin.send_welcome_email(speaking("", "otto@acme.example"))
    german, english, organisations = mail.mails
    assert german.message["Subject"] == "Willkommen bei Acme"
    assert "Guten Tag Ada,\n\nSie sind jetzt bei Acme registriert." in german.part("plain").replace("\r\n", "\n")
    assert '<html lang="de">' in german.part("html")
    assert english.message["Subject"] == "Welcome to Acme"
    assert organisations.message["Subject"] == "Willkommen bei Acme"
    assert translation.get_language() == "en"


def test_what_an_admin_wrote_is_sent_to_everybody_as_it_was_written(
    acme: Tenants, email_on: Make, mail: MailServer
) -> None:
    email_on(welcome_subject="Total", welcome_text="Hello {{name}}").send_welcome_email(speaking("de"))
    [got] = mail.mails
    assert got.message["Subject"] == "Total"  # a text that the catalogue knows, but not as one of the plugin's
    assert got.part("plain").startswith("Hello Ada")


def test_a_confirmed_order_is_in_the_organisations_language_with_its_numbers(
    acme: Tenants, email_on: Make, switch_on: Make, mail: MailServer
) -> None:
    switch_on("orders")
    german_organisation()
    plugin = email_on(order_text="Zusammen: {{total}}")
    plugin.send_order_confirmation(order_of())
    [got] = mail.mails
    assert got.message["Subject"].startswith("Ihre Bestellung ")
    for part in ("plain", "html"):
        assert "Zusammen: 2.469,00 EUR" in got.part(part)
    assert "2 x Rocket: 2.469,00 EUR" in got.part("plain")
    assert "Summe: 2.469,00 EUR" in got.part("plain")


def test_a_message_to_the_channel_is_in_the_organisations_language(
    acme: Tenants, slack_on: Make, switch_on: Make, hook: WebhookServer
) -> None:
    switch_on("orders")
    german_organisation()
    plugin, order = slack_on(), order_of()
    plugin.notify_order_confirmed(order)
    plugin.notify_user_registered(speaking("en"))
    texts = [post.body["blocks"][0]["text"]["text"] for post in hook.posts]
    assert texts == [
        f"*Bestellung {order.pk} bestätigt*\nKunde: Carl\nSumme: 2.469,00 EUR",
        "*Jemand hat sich registriert*\nName: Ada\nE-Mail: ada@acme.example",
    ]


def test_who_may_not_register_is_told_in_their_language_unless_an_admin_has_found_words(
    acme: Tenants, switch_on: Make
) -> None:
    plugin = switch_on("signup_rules", {"blocked_domains": ["evil.example"]})
    with translation.override("de"), pytest.raises(Veto, match="Mit einer Adresse bei evil"):
        plugin.judge_address("eve@evil.example")
    plugin = switch_on("signup_rules", {"blocked_domains": ["evil.example"], "message": "Total"})
    with translation.override("de"), pytest.raises(Veto, match=r"^Total$"):
        plugin.judge_address("eve@evil.example")


def test_what_plugins_store_is_english_and_is_read_in_german(acme: Tenants, email_on: Make, switch_on: Make) -> None:
    switch_on("orders")
    german_organisation()
    plugin, order = email_on(), order_of(email="")
    with in_language_of(), pytest.raises(DeadLetter) as nobody:
        plugin.send_order_confirmation(order)
    with in_language_of(), pytest.raises(NotBillable) as unconfirmed:
        ordered(order)
    switched_off = sending._SWITCHED_OFF(
        host="x.example", why=sending._NOTHING_ARRIVED(hours="60", why="x.example answered 500")
    )
    stored = {
        str(nobody.value): f"Bestellung {order.pk} hat keine E-Mail-Adresse eines Kunden",
        str(unconfirmed.value): f"Bestellung {order.pk} nennt keinen Zeitpunkt",
        switched_off.english: (
            "x.example wurde abgeschaltet. Seit mehr als 60 Stunden ist dort nichts angekommen. x.example hat mit 500 geantwortet"
        ),
    }
    with translation.override("de"):
        for text, said in stored.items():
            assert str(reread(text)).startswith(said)


def test_what_is_wrong_with_an_endpoint_is_said_in_the_admins_language(
    acme: Tenants, switch_on: Make, hook: WebhookServer, client_for: Make
) -> None:
    plugin = switch_on("webhooks")
    client = client_for(acme.acme, speaking("de", "olga@acme.example", "owner"))
    german = {"accept-language": "de"}
    refused = client.post("/apps/webhooks/new/", {"url": "https://10.0.0.7/"}, headers=german).content.decode()
    assert "10.0.0.7 ist nicht erlaubt: Das ist eine private Adresse." in refused
    client.post("/apps/webhooks/new/", {"url": hook.url, "every_event": "on"}, headers=german)
    row = Endpoint.objects.get()
    hook.status = 500
    answer = client.post(f"/apps/webhooks/{row.pk}/test/", headers=german, follow=True).content.decode()
    assert "Das Testereignis ist nicht angekommen. 127.0.0.1 hat mit 500" in answer
    with translation.override("de"):
        assert "hat mit 500" in plugin.check({}).message
    Endpoint.objects.update(secret="lost", secret_unseen=True)
    answer = client.post(f"/apps/webhooks/{row.pk}/secret/", headers=german, follow=True).content.decode()
    assert "Sein Geheimnis lässt sich nicht mehr öffnen. Geben Sie ihm ein neues" in answer


def test_what_a_plugin_finds_wrong_with_its_settings_is_kept_for_readers_of_every_language() -> None:
    spec = registry.specs["signup_rules"]
    checked = spec.schema.validate({"allowed_domains": ["no domain"]})
    (error,) = layers.problems(spec, spec.new, checked)
    assert error.message == "“no domain” is not a domain. Write it like example.com."
    with translation.override("de"):
        assert error.message == "„no domain“ ist keine Domain. Schreiben Sie sie wie example.com."
