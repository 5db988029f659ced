"""An admin at the organisation's own pages: its name, logo and time zone, its people, and what is kept of somebody."""

from __future__ import annotations

import json
import re
import struct
import zlib
from pathlib import Path

import pytest
from playwright.sync_api import expect

from saas.testing.waiting import wait_until
from tests.browser.conftest import PASSWORD, Visitor
from tests.browser.test_the_tour import make_order

LOGO_WIDTH = "document.querySelector('.rail .logo').naturalWidth"
ADMIN, PAGE = "ada@acme.example", "/settings/organisation/"


def square(path: Path) -> Path:
    """A PNG of one colour, 64 pixels wide."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + b"\x1c\x6f\x5b" * 64) * 64)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    return path


@pytest.mark.xdist_group("demo")
def test_it_has_a_face_and_a_zone_and_lets_people_and_their_data_go(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.page
    visitor.sign_in(ADMIN, "acme")
    visitor.go(PAGE, "acme")
    page.get_by_label("Time zone").select_option("Asia/Kathmandu")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    page.get_by_label("Picture").set_input_files(square(tmp_path / "logo.png"))
    page.get_by_role("button", name="Upload the logo").click()
    page.get_by_text("The logo is shown from now on.").wait_for()
    wait_until(lambda: page.evaluate(LOGO_WIDTH) == 64, what="the logo above the page")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of the two it takes
        visitor.go(PAGE, "acme")
        visitor.look(f"organisation-{scheme}")
    page.emulate_media(color_scheme="light")
    visitor.go("/settings/audit/", "acme")
    expect(page.locator("time").first).to_have_attribute("datetime", re.compile(r"\+05:45$"))
    visitor.look("audit")

    visitor.go("/settings/people/", "acme")
    page.get_by_label("Email").fill("nina@acme.example")
    page.get_by_role("button", name="Send the invitation").click()
    page.get_by_text("An invitation is on its way to nina@acme.example.").wait_for()
    page.get_by_role("button", name="Send again the invitation of nina@acme.example").click()
    page.get_by_text("An invitation is on its way to nina@acme.example.").wait_for()
    visitor.look("people")
    page.get_by_role("button", name="Take back the invitation of nina@acme.example").click()
    page.get_by_text("The invitation is revoked").wait_for()

    visitor.go("/account/", "acme")
    visitor.look("account-profile")
    page.get_by_role("link", name="Where you are signed in").click()
    expect(page.get_by_text("this browser")).to_have_count(1)
    visitor.look("account-sessions")
    page.get_by_role("link", name="Your data").click()
    visitor.look("account-data")

    make_order(page, visitor, "Forgetme")
    visitor.demo.wait_for(1, "acme", "forgetme@customer.example")
    visitor.go("/settings/people/data/", "acme")
    page.get_by_label("Email").fill("forgetme@customer.example")
    page.keyboard.press("Enter")
    expect(page.get_by_role("rowheader", name="Orders")).to_be_visible()
    page.get_by_role("button", name="Download all of it").click()
    page.get_by_label("Password").fill(PASSWORD)
    visitor.look("confirm-password")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Thank you").wait_for()
    visitor.look("confirmed-download")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all of it").click()
    found = json.loads(Path(download.value.path()).read_text())
    assert found["plugins"]["orders"]["orders"][0]["email"] == "forgetme@customer.example"
    with page.expect_download():  # and once more: the button is not held back for good
        page.get_by_role("button", name="Download all of it").click()
    page.get_by_role("link", name="Back").click()
    page.locator("summary").get_by_text("Erase forgetme@customer.example").focus()
    page.keyboard.press("Enter")
    page.get_by_label("To confirm, type").fill("forgetme@customer.example")
    visitor.look("person-erase")
    page.get_by_role("button", name="Erase this person").click()
    page.get_by_role("heading", name="Erased", exact=True).wait_for()
    visitor.look("person-erased")
    visitor.go("/settings/people/data/?email=forgetme@customer.example", "acme")
    expect(page.get_by_text("Nothing is kept under this address.")).to_be_visible()

    visitor.go(PAGE, "acme")
    page.get_by_role("button", name="Remove the logo").click()
    page.get_by_text("The logo is removed.").wait_for()
    page.get_by_label("Time zone").select_option("UTC")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
