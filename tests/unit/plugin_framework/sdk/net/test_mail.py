"""What goes over the wire of a message, and what never does."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from plugin_framework.sdk.net import InvalidRequest
from plugin_framework.sdk.net._mail import pack


def mail(text: str = "Hello", **headers: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in {"From": "a@acme.example", "To": "b@acme.example", "Subject": "Hi", **headers}.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def packed(message: EmailMessage) -> bytes:
    return pack(message, sender="a@acme.example", recipients=["b@acme.example"]).content


@pytest.mark.parametrize(
    "address",
    [
        "",
        "b",
        "@acme.example",
        "b@",
        "b@acme.example\r\nRCPT TO:<c@evil.example>",
        "b@acme.example\n",
        "b c@acme.example",
        "<b@acme.example>",
        "B <b@acme.example>",
        "b@acme.example,c@evil.example",
        "b@acme.example>",
        "b@c@acme.example",
        '"b c"@acme.example',
        "b@acme..example",
        "b@" + "x" * 250 + ".example",
        "x" * 65 + "@acme.example",
        "b\x00@acme.example",
        "b@acme.example\u2028",
    ],
)
def test_an_odd_address_is_refused(address: str) -> None:
    for sender, recipients in ((address, ["b@acme.example"]), ("a@acme.example", ["b@acme.example", address])):
        with pytest.raises(InvalidRequest, match="An e-mail address is malformed") as refusal:
            pack(mail(), sender=sender, recipients=recipients)
        assert refusal.value.permanent


def test_a_message_needs_a_list_of_recipients() -> None:
    for recipients in ([], "b@acme.example"):
        with pytest.raises(InvalidRequest, match="at least one recipient"):
            pack(mail(), sender="a@acme.example", recipients=recipients)


def test_a_domain_is_sent_in_ascii_and_a_local_part_marks_the_envelope() -> None:
    envelope = pack(mail(), sender="a@bücher.example", recipients=["b@acme.example"])
    assert (envelope.sender, envelope.international) == ("a@xn--bcher-kva.example", False)
    assert pack(mail(), sender="ä@acme.example", recipients=["b@acme.example"]).international


@pytest.mark.parametrize("value", ["x\r\nBcc: c@evil.example", "x\nBcc: c@evil.example", "x\rBcc: c", "x\n", "x\x00"])
def test_a_header_that_breaks_out_is_refused(value: str) -> None:
    lenient = EmailMessage(policy=policy.compat32)  # takes what the modern policy refuses
    lenient["Subject"] = value
    nested = mail()
    nested.add_attachment(b"x", maintype="a", subtype="b")
    next(iter(nested.iter_attachments()))._headers.append(("X-Evil", value))  # type: ignore[attr-defined] # past every check of email
    for message in (lenient, nested):
        with pytest.raises(InvalidRequest, match="line break") as refusal:
            packed(message)
        assert refusal.value.__context__ is None


def test_a_header_name_that_breaks_out_is_refused() -> None:
    message = mail()
    message._headers.append(("X: 1\r\nBcc", "c@evil.example"))  # type: ignore[attr-defined] # past every check of email
    with pytest.raises(InvalidRequest, match="line break"):
        packed(message)


def test_the_content_cannot_end_the_message_early() -> None:
    content = packed(mail("one\n.\nMAIL FROM:<c@evil.example>\n..two\n.three\n"))
    assert b"\r\n.\r\n" not in content
    assert b"\r\n..\r\nMAIL" in content
    assert b"\r\n...two\r\n..three\r\n" in content


@pytest.mark.parametrize("trick", ["\n.\r\n", "\r.\r\n", "\r\n.\n", "\r\n.\r"])
def test_bare_line_ends_cannot_smuggle_a_second_message(trick: str) -> None:
    message = mail()
    message.set_payload(f"one{trick}MAIL FROM:<c@evil.example>")
    content = packed(message)
    assert b"\r\n..\r\nMAIL" in content
    assert content.count(b"\r") == content.count(b"\n") == content.count(b"\r\n")


def test_letters_beyond_ascii_travel_in_seven_bits() -> None:
    message = mail("Grüße, 世界", Subject="Grüße")
    message.add_alternative("<p>Grüße</p>", subtype="html")
    content = packed(message)
    assert content.isascii()
    again = message_from_bytes(content, policy=policy.default)
    assert again["Subject"] == "Grüße"
    assert again.get_body(("plain",)).get_content() == "Grüße, 世界\n"  # type: ignore[union-attr] # it is there
    assert again.get_body(("html",)).get_content() == "<p>Grüße</p>\n"  # type: ignore[union-attr] # it is there


def test_date_and_message_id_are_added_and_bcc_is_left_out() -> None:
    message = mail(Bcc="hidden@acme.example")
    again = message_from_bytes(packed(message), policy=policy.default)
    assert again["Date"]
    assert again["Message-ID"].endswith("@acme.example>")
    assert again["Bcc"] is None
    assert message["Bcc"] == "hidden@acme.example"  # the caller's message stays as it is
    assert message["Date"] is None


def test_date_and_message_id_of_the_caller_stay() -> None:
    message = mail(Message_ID="<k-1@acme.example>", Date="Tue, 01 Jan 2030 00:00:00 +0000")
    again = message_from_bytes(packed(message), policy=policy.default)
    assert (again["Message-ID"], again["Date"]) == ("<k-1@acme.example>", "Tue, 01 Jan 2030 00:00:00 +0000")
