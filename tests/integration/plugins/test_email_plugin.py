"""The e-mail plugin against a real mail server: what arrives, and what is said when nothing does."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from decimal import Decimal
from email.message import EmailMessage
from typing import Any

import pytest

from plugin_framework import activation, changing, configuration
from plugin_framework.audit import SYSTEM
from plugin_framework.config import FieldError
from plugin_framework.delivery.context import CurrentDelivery
from plugin_framework.registry import registry
from plugin_framework.sdk import DeadLetter, NetworkError, PluginInterface, hook, plugin_registry
from plugin_framework.sdk.net import NetworkPolicy, SmtpClient
from plugins.email_plugin import EmailNotificationPlugin
from plugins.orders_plugin import services
from plugins.orders_plugin.models import Order
from plugins.orders_plugin.services import LineInput, OrderInput
from saas.testing.receivers import PASSWORD, MailServer
from tenants.accounts.models import User
from tests.conftest import Tenants
from tests.integration.plugins.conftest import KEY

Make = Callable[..., Any]

HOSTILE = [
    "{{7*7}}",
    "{{ request }}",
    "{{ settings.SECRET_KEY }}",
    "{% load static %}",
    "{% include 'errors/500.html' %}",
    "{% debug %}",
    "{0.__class__}",
    "{name.__init__.__globals__}",
    "%(password)s",
    "${PATH}",
    "{{name|safe}}",
    "{{ name.__class__ }}",
    "{{password}}",
    "{{NAME}}",
    "{# comment #}",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "</td></table><a href='https://evil.example'>x</a>",
    "&lt;b&gt;",
    "javascript:alert(1)",
    "{{email}}",
    "\\r\\nBcc: x@evil.example",
]


def order_for(name: str = "Carl Customer", email: str = "carl@example.com") -> Order:
    lines = (LineInput("Rocket", 2, Decimal("19.90")), LineInput("Fuel", 1, Decimal("0.20")))
    return services.create(OrderInput(name, email, "EUR", lines), None)


def test_a_welcome_reaches_the_person_through_the_tenants_own_server(
    acme: Tenants, email_on: Make, mail: MailServer, ada: Make
) -> None:
    email_on(sender_name="Acme Team", reply_to="help@acme.example").send_welcome_email(ada())
    [got] = mail.mails
    assert (got.sender, got.recipients) == ("hello@acme.example", ["ada@acme.example"])
    assert got.message["From"] == "Acme Team <hello@acme.example>"
    assert got.message["To"] == "Ada <ada@acme.example>"
    assert got.message["Reply-To"] == "help@acme.example"
    assert got.message["Subject"] == "Welcome to Acme"
    assert got.message["Auto-Submitted"] == "auto-generated"
    assert "Hello Ada," in got.part("plain")
    assert "Hello Ada," in got.part("html")


def test_an_order_confirmation_lists_the_lines_and_the_total(
    acme: Tenants, email_on: Make, switch_on: Make, mail: MailServer
) -> None:
    switch_on("orders")
    order = order_for()
    email_on().send_order_confirmation(order)
    [got] = mail.mails
    assert got.recipients == ["carl@example.com"]
    assert got.message["Subject"] == f"Your order {order.pk} is confirmed"
    assert "2 x Rocket: 39.80 EUR" in got.part("plain")
    assert "Total: 40.00 EUR" in got.part("plain")
    assert "2 × Rocket" in got.part("html")
    assert "40.00 EUR" in got.part("html")


def test_every_attempt_has_the_same_message_id(
    acme: Tenants, email_on: Make, mail: MailServer, ada: Make, delivering: CurrentDelivery
) -> None:
    plugin, user = email_on(), ada()
    plugin.send_welcome_email(user)
    plugin.send_welcome_email(user)
    assert [got.message["Message-ID"] for got in mail.mails] == [f"<{KEY}@acme.example>"] * 2
    assert delivering.response_status == 250


@pytest.mark.parametrize("text", HOSTILE)
def test_what_looks_like_code_arrives_as_it_was_typed(
    acme: Tenants, email_on: Make, mail: MailServer, ada: Make, text: str
) -> None:
    plugin = email_on(welcome_subject=f"S {text}", welcome_text=f"T {text} for {{{{name}}}}")
    plugin.send_welcome_email(ada(name=text))
    [got] = mail.mails
    typed = text.replace("{{email}}", "ada@acme.example")  # the tenant may say this, a person's name may not
    assert got.message["Subject"] == f"S {typed}"
    assert f"T {typed} for {text}" in got.part("plain")
    assert got.recipients == ["ada@acme.example"]
    assert got.message["Bcc"] is None
    for dangerous in ("<script", "<img", "<svg", "<a href"):
        assert dangerous not in got.part("html")


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r", "\x0b", "\x85", "\u2028"])
def test_a_name_with_a_line_break_makes_no_header(
    acme: Tenants, email_on: Make, mail: MailServer, ada: Make, line_break: str
) -> None:
    plugin = email_on(welcome_subject="Hello {{name}}")
    plugin.send_welcome_email(ada(name=f"Ada{line_break}Bcc: eve@evil.example"))
    [got] = mail.mails
    assert got.message["Subject"] == "Hello Ada Bcc: eve@evil.example"
    assert got.message["Bcc"] is None
    assert got.recipients == ["ada@acme.example"]


@pytest.mark.parametrize("field", ["welcome_subject", "order_subject", "sender_name"])
def test_settings_with_a_line_break_in_a_header_are_refused(acme: Tenants, email_on: Make, field: str) -> None:
    with pytest.raises(configuration.Invalid) as caught:
        email_on(**{field: "Hello\r\nBcc: eve@evil.example"})
    assert FieldError((field,), "Does not have the expected form.") in caught.value.errors


def test_a_switched_off_mail_is_not_sent(
    acme: Tenants, email_on: Make, switch_on: Make, mail: MailServer, ada: Make
) -> None:
    switch_on("orders")
    plugin = email_on(send_welcome=False, send_order_confirmation=False)
    plugin.send_welcome_email(ada())
    plugin.send_order_confirmation(order_for())
    assert mail.mails == []


def test_half_a_sign_in_and_a_missing_sender_are_refused(acme: Tenants) -> None:
    for config, secrets, word in [
        ({"smtp_host": "a.example", "username": "ada@a.example"}, {}, "both a user name and a password"),
        ({"smtp_host": "a.example", "sender": "a@a.example"}, {("password",): "x"}, "both a user name and a password"),
        ({"smtp_host": "a.example"}, {}, "sender’s address"),
    ]:
        with pytest.raises(configuration.Invalid, match=word):
            configuration.configure("email_notifications", SYSTEM, config, secrets=secrets)


def test_a_user_name_that_is_an_address_will_do_as_the_sender() -> None:
    config = {"smtp_host": "a.example", "username": "ada@a.example", "password": "x"}
    assert EmailNotificationPlugin().validate_config(config) == []


def test_the_password_must_be_entered_again_when_it_would_go_elsewhere(
    acme: Tenants, email_on: Make, mail: MailServer
) -> None:
    email_on()
    for change in ({"smtp_host": "localhost"}, {"smtp_port": 2525}, {"tls": "tls"}, {"username": "eve"}):
        with pytest.raises(configuration.Invalid) as caught:
            configuration.configure(
                "email_notifications", SYSTEM, {**mail.settings, "sender": "hello@acme.example", **change}
            )
        assert [error.path for error in caught.value.errors] == [("password",)]


def test_a_wrong_password_is_a_plain_reason_and_may_be_tried_again(
    acme: Tenants, switch_on: Make, mail: MailServer, ada: Make
) -> None:
    config = {**mail.settings, "sender": "hello@acme.example"}
    plugin = switch_on("email_notifications", config, password="not the pa55word")
    with pytest.raises(NetworkError, match="refused the user name or password") as caught:
        plugin.send_welcome_email(ada())
    assert not caught.value.permanent
    assert "not the pa55word" not in str(caught.value)
    assert mail.mails == []


def test_a_refused_connection_is_a_plain_reason_and_may_be_tried_again(
    acme: Tenants, switch_on: Make, ada: Make
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    config = {"smtp_host": "127.0.0.1", "smtp_port": port, "tls": "none", "sender": "hello@acme.example"}
    with pytest.raises(NetworkError, match=r"127\.0\.0\.1") as caught:
        switch_on("email_notifications", config).send_welcome_email(ada())
    assert not caught.value.permanent


def test_a_server_that_never_answers_is_given_up_in_time(acme: Tenants, ada: Make) -> None:
    class Impatient(EmailNotificationPlugin):
        smtp = property(lambda self: SmtpClient(NetworkPolicy(allow_loopback=True, total_timeout=0.3)))  # type: ignore[assignment]  # a shorter deadline

    with socket.create_server(("127.0.0.1", 0)) as silent:
        plugin = Impatient()
        plugin.tenant = acme.acme
        config = {
            "smtp_host": "127.0.0.1",
            "smtp_port": silent.getsockname()[1],
            "tls": "none",
            "sender": "a@acme.example",
        }
        plugin.initialize(registry.specs["email_notifications"].schema.validate(config).config)
        with pytest.raises(NetworkError, match=r"within|did not answer") as caught:
            plugin.send_welcome_email(ada())
    assert not caught.value.permanent


def test_a_server_without_starttls_gets_nothing(acme: Tenants, email_on: Make, mail: MailServer, ada: Make) -> None:
    with pytest.raises(NetworkError, match="does not offer STARTTLS"):
        email_on(tls="starttls").send_welcome_email(ada())
    assert mail.mails == []


def test_an_address_nobody_can_have_is_set_aside(acme: Tenants, email_on: Make, mail: MailServer) -> None:
    plugin = email_on()
    for address in ("no-domain@", "x@" + "a" * 70 + ".example"):
        with pytest.raises((DeadLetter, NetworkError)) as caught:
            plugin.send_welcome_email(User(email=address, name="Ada"))
        assert isinstance(caught.value, DeadLetter) or caught.value.permanent
    assert mail.mails == []


def test_an_order_without_an_address_is_set_aside(acme: Tenants, email_on: Make, switch_on: Make) -> None:
    switch_on("orders")
    with pytest.raises(DeadLetter, match="nobody to write to"):
        email_on().send_order_confirmation(order_for(email=""))


@pytest.mark.parametrize(
    ("password", "ok", "words"), [(PASSWORD, True, "sign-in worked"), ("wrong", False, "refused the user name")]
)
def test_test_connection_says_what_it_found_and_sends_nothing(
    acme: Tenants, mail: MailServer, password: str, ok: bool, words: str
) -> None:
    spec = changing.spec_of("email_notifications")
    own = {**mail.settings, "sender": "hello@acme.example", "password": password}
    result = configuration.check(spec, own)
    assert result.ok is ok
    assert words in result.message
    assert password not in result.message
    assert mail.mails == []


class Footer(PluginInterface):
    """Changes mails, as another plugin would."""

    name, version = "footer", "1.0.0"

    def initialize(self, config: dict[str, Any]) -> None:
        """Nothing to take."""

    def cleanup(self) -> None:
        """Nothing to let go of."""

    @hook("email_message")
    def add(self, message: EmailMessage) -> EmailMessage:
        message["X-Footer"] = "was here"
        return message


class Swallower(Footer):
    """Leaves nobody to send to."""

    name = "swallower"

    @hook("email_message")
    def add(self, message: EmailMessage) -> EmailMessage:
        del message["To"]
        return message


@pytest.fixture
def others() -> Iterator[None]:
    """Two more plugins are installed."""
    before = dict(registry.specs)
    plugin_registry.register_plugin(Footer)
    plugin_registry.register_plugin(Swallower)
    yield
    registry.specs = before
    activation.cache.clear()


def test_other_plugins_can_change_a_mail_before_it_leaves(
    others: None, acme: Tenants, email_on: Make, switch_on: Make, mail: MailServer, ada: Make
) -> None:
    plugin, user = email_on(), ada()
    switch_on("footer")
    plugin.send_welcome_email(user)
    assert mail.mails[0].message["X-Footer"] == "was here"
    switch_on("swallower")
    with pytest.raises(DeadLetter, match="without a recipient"):
        plugin.send_welcome_email(user)
    assert len(mail.mails) == 1
