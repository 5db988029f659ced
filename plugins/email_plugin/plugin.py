"""The plugin's class: which events become mails, and how they leave."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any, ClassVar

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from plugin_framework.sdk import (
    CheckResult,
    ConfigurablePlugin,
    DeadLetter,
    Phrase,
    apply_filters,
    delivery_answered,
    delivery_is_sample,
    hook,
    in_language_of,
)
from plugins.email_plugin.mail import Sender, compose, recipients_of
from plugins.email_plugin.schema import DEFAULTS, config_schema
from plugins.email_plugin.wording import fill, one_line

MOST_OF_A_NAME = 100  # characters; whoever registers chooses it, and must not choose the whole mail

_NOBODY = Phrase("Order %(order)s has no e-mail address of a customer, so there is nobody to write to.")
_NO_RECIPIENT = gettext_noop("A plugin that changes mails has left this one without a recipient, so it was not sent.")


class EmailNotificationPlugin(ConfigurablePlugin):
    """Sends mails through the tenant's own server, from the tenant's own address."""

    name, version = "email_notifications", "1.0.0"
    title: ClassVar[str] = "E-mail notifications"
    description = "Welcomes people who register and confirms orders, through your own mail server."
    category: ClassVar[str] = "Notifications"
    icon: ClassVar[str] = "mail"
    details: ClassVar[str] = (
        "Mails go out in the background, as text and HTML. If your server does not take one, it is tried again "
        "for three days; you see each attempt under Deliveries."
    )
    reads: ClassVar[tuple[str, ...]] = (
        "Name and e-mail address of people who register",
        "Customer, lines and total of confirmed orders",
    )
    keeps_of_people: ClassVar[str] = "Mails that were sent are with your mail server and with whoever got them."
    sends_to: ClassVar[tuple[str, ...]] = ("The mail server in its settings",)
    changelog: ClassVar[tuple[tuple[str, str, str], ...]] = (
        (
            "1.0.0",
            "2026-11-23",
            "Mails to people who register and to customers whose order is confirmed, as text and HTML, in your own words.",
        ),
    )

    def get_config_schema(self) -> dict[str, Any]:
        """Server, sender, and the wording of each mail."""
        return config_schema()

    def validate_config(self, config: dict[str, Any]) -> list[str]:
        """A sign-in is both halves or none; a mail needs a sender."""
        problems = []
        if bool(config.get("username")) != bool(config.get("password")):
            problems.append(_("A sign-in needs both a user name and a password. Enter both, or leave both empty."))
        if not _sender_address(config):
            problems.append(_("Enter the sender’s address: the user name is not an e-mail address."))
        return problems

    def initialize(self, config: dict[str, Any]) -> None:
        """Keep what sending needs."""
        self._config = config
        self._server = _server(config)
        self._sender = Sender(
            _sender_address(config), config.get("sender_name") or self.tenant.name, config.get("reply_to") or ""
        )

    def cleanup(self) -> None:
        """Nothing is held open between mails."""

    @hook("user_registered")
    def send_welcome_email(self, user: Any) -> None:
        """Welcome a person who has just registered."""
        if self._config["send_welcome"]:
            name = str(getattr(user, "name", "") or user.email)
            with in_language_of(user):
                mail = self._mail("welcome", to=str(user.email), name=name, values={})
            self._hand_over(mail)

    @hook("order_confirmed")
    def send_order_confirmation(self, order: Any) -> None:
        """Tell the customer that the order is confirmed."""
        to = str(getattr(order, "customer_email", "") or "")
        if not self._config["send_order_confirmation"]:
            return
        if not to:
            raise DeadLetter(_NOBODY(order=order.id).english)
        with in_language_of():  # a customer's own is not known
            total = f"{number_format(order.total, 2, force_grouping=True)} {order.currency}"
            values = {"order": str(order.id), "total": total}
            mail = self._mail("order", to=to, name=str(order.customer_name or to), values=values, order=order)
        self._hand_over(mail)

    def check(self, config: dict[str, Any]) -> CheckResult:
        """Connect, encrypt and sign in, and leave again without sending a mail."""
        self.smtp.check(**_server(config))
        answered = _("%(host)s answered on port %(port)s. No mail was sent.")
        signed_in = _("%(host)s answered on port %(port)s, and the sign-in worked. No mail was sent.")
        said = signed_in if config.get("username") else answered
        return CheckResult(True, said % {"host": config["smtp_host"], "port": config["smtp_port"]})

    def _mail(self, kind: str, *, to: str, name: str, values: dict[str, str], order: Any = None) -> EmailMessage:
        """What to send, in the language that is spoken now."""
        words = {"name": one_line(name)[:MOST_OF_A_NAME], "email": to, "organisation": self.tenant.name, **values}
        subject = fill(self._wording(f"{kind}_subject"), words)
        return compose(
            sender=self._sender,
            to=to,
            to_name=words["name"],
            subject=_("Sample: %(subject)s") % {"subject": subject} if delivery_is_sample() else subject,
            text=fill(self._wording(f"{kind}_text"), words),
            tenant=self.tenant,
            order=order,
        )

    def _wording(self, name: str) -> str:
        """A text of the settings: as an admin wrote it, or ours in the language that is spoken now."""
        text = str(self._config[name])
        return _(text) if text == DEFAULTS[name] else text

    def _hand_over(self, message: EmailMessage) -> None:
        mail = apply_filters("email_message", message)
        recipients = recipients_of(mail) if isinstance(mail, EmailMessage) else []
        if not recipients:
            raise DeadLetter(_NO_RECIPIENT)
        self.smtp.send(mail, **self._server, sender=self._sender.address, recipients=recipients)
        delivery_answered(250)


def _server(config: dict[str, Any]) -> dict[str, Any]:
    return {
        "host": config["smtp_host"],
        "port": config["smtp_port"],
        "tls": config["tls"],
        "username": config.get("username") or "",
        "password": config.get("password") or "",
    }


def _sender_address(config: dict[str, Any]) -> str:
    """The address mails come from; a user name that is an address will do."""
    username = str(config.get("username") or "")
    return str(config.get("sender") or "") or (username if "@" in username else "")
