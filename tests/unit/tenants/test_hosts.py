"""Host headers are read into one form, or refused."""

import pytest

from tenants.hosts import BadHost, normalise


@pytest.mark.parametrize(
    ("raw", "host"),
    [
        ("acme.localhost", "acme.localhost"),
        ("ACME.LocalHost", "acme.localhost"),
        ("acme.localhost.", "acme.localhost"),
        ("acme.localhost:8000", "acme.localhost"),
        ("Acme.localhost.:8000", "acme.localhost"),
        ("xn--acme-9ta.localhost", "xn--acme-9ta.localhost"),
    ],
)
def test_spellings_of_a_name_become_one_name(raw: str, host: str) -> None:
    assert normalise(raw) == host


@pytest.mark.parametrize(
    "raw",
    [
        "", ".", "..", "acme..localhost", "acme.localhost..", ".acme.localhost", "-acme.localhost", "acme-.localhost",
        "127.0.0.1", "127.0.0.1:8000", "127.1", "2130706433", "0x7f.1.2.3:x", "[::1]", "[::1]:8000", "::1",
        "acme.localhost:0", "acme.localhost:65536", "acme.localhost:", "acme.localhost:80:80", "acme.localhost:8o",
        "acme.localhost/..", "acme.localhost@evil", "a b.localhost", "acme.localhost\x00", "acme.localhost\n", "äcme.localhost",
        "аcme.localhost", "acme_.localhost", "*.localhost", "%61cme.localhost", "a" * 64 + ".localhost", "a." * 130 + "b",
        "acme.localhost, globex.localhost", "acme.localhost;globex", "'--", "acme.localhost?x", "ａcme.localhost",
    ],
)  # fmt: skip
def test_what_is_no_host_name_is_refused(raw: str) -> None:
    with pytest.raises(BadHost):
        normalise(raw)
