"""Builds a notification mail: text and HTML, from the tenant's wording and our own layout."""

from __future__ import annotations

from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import gettext_noop

from plugin_framework.sdk import DeadLetter, TenantInfo, delivery_key
from plugins.email_plugin.wording import one_line

_MALFORMED = gettext_noop("A mail address is malformed, so nothing was sent. Correct it and send it again.")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who the organisation's mails come from."""

    address: str
    name: str
    reply_to: str = ""


def compose(
    *, sender: Sender, to: str, to_name: str, subject: str, text: str, tenant: TenantInfo, order: Any = None
) -> EmailMessage:
    """One mail, ready to be sent.

    Args:
        to, to_name: the recipient; the name may hold anything, it ends up on one line.
        subject, text: the tenant's wording with the values filled in, still plain text.
        order: an order whose lines the mail lists, if it is about one.

    Raises:
        DeadLetter: the recipient's address is not one that mail can be sent to.
    """
    mail = EmailMessage()
    mail["From"] = _address(sender.address, sender.name)
    mail["To"] = _address(to, to_name)
    if sender.reply_to:
        mail["Reply-To"] = _address(sender.reply_to, "")
    mail["Subject"] = one_line(subject)
    mail["Date"] = formatdate(localtime=False, usegmt=True)
    mail["Message-ID"] = message_id(sender.address)
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: keeps holiday notices from answering
    context = {"subject": one_line(subject), "text": text, "tenant": tenant, "order": order}
    mail.set_content(render_to_string("email_plugin/message.txt", context).strip() + "\n")
    mail.add_alternative(render_to_string("email_plugin/message.html", context), subtype="html")
    return mail


def message_id(sender: str) -> str:
    """The same for every attempt of a delivery, so that the recipient's server can drop a repetition."""
    domain = sender.rpartition("@")[2]
    key = delivery_key()
    return f"<{key}@{domain}>" if key else make_msgid(domain=domain)


def recipients_of(mail: EmailMessage) -> list[str]:
    """The plain addresses in To and Cc, each once."""
    fields = [field for name in ("To", "Cc") for field in mail.get_all(name, [])]
    return list(dict.fromkeys(address.addr_spec for field in fields for address in field.addresses))


def _address(address: str, name: str) -> Address:
    local, _, domain = address.rpartition("@")
    try:
        return Address(display_name=one_line(name), username=local, domain=domain.encode("idna").decode("ascii"))
    except ValueError as error:  # a line break, or a domain that DNS could not hold
        raise DeadLetter(_MALFORMED) from error
