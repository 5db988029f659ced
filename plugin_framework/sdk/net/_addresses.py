"""Which IP addresses are on the public internet: our own tables, as `is_private` and `is_global` let too much through.

Sources: the IANA special-purpose registries for IPv4 and IPv6, RFC 6890 and its successors, and the addresses clouds
    give to their
metadata services. In IPv6 the rule is turned round: only 2000::/3 is public at all, less what the table takes out of
it.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from plugin_framework.sdk._words import Phrase

type Address = IPv4Address | IPv6Address


def _(text: str) -> str:
    """Marks `text` for translation. Django's own mark asks for the settings, which cannot be read before this module is."""
    return text


_LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
_PUBLIC_V6 = IPv6Network("2000::/3")

# The more telling entry first: the reason shown is the first that fits.
_NOT_PUBLIC_V4 = tuple(
    (IPv4Network(network), reason)
    for network, reason in (
        ("169.254.169.254/32", _("the metadata address of cloud machines")),
        ("100.100.100.200/32", _("the metadata address of cloud machines")),
        ("192.0.0.192/32", _("the metadata address of cloud machines")),
        ("168.63.129.16/32", _("an address inside a cloud provider’s own network")),
        ("127.0.0.0/8", _("this machine itself")),
        ("0.0.0.0/32", _("the unspecified address")),
        ("0.0.0.0/8", _("an address of the local network")),
        ("10.0.0.0/8", _("a private address")),
        ("172.16.0.0/12", _("a private address")),
        ("192.168.0.0/16", _("a private address")),
        ("100.64.0.0/10", _("an address inside a provider’s own network")),
        ("169.254.0.0/16", _("a link-local address")),
        ("192.0.0.0/24", _("an address reserved for protocols")),
        ("192.0.2.0/24", _("an address reserved for documentation")),
        ("198.51.100.0/24", _("an address reserved for documentation")),
        ("203.0.113.0/24", _("an address reserved for documentation")),
        ("198.18.0.0/15", _("an address reserved for benchmarks")),
        ("192.88.99.0/24", _("an address of the retired 6to4 relays")),
        ("192.31.196.0/24", _("an address reserved for protocols")),
        ("192.52.193.0/24", _("an address reserved for protocols")),
        ("192.175.48.0/24", _("an address reserved for protocols")),
        ("224.0.0.0/4", _("a multicast address")),
        ("255.255.255.255/32", _("the broadcast address")),
        ("240.0.0.0/4", _("a reserved address")),
    )
)
_NOT_PUBLIC_V6 = tuple(
    (IPv6Network(network), reason)
    for network, reason in (
        ("::1/128", _("this machine itself")),
        ("::/128", _("the unspecified address")),
        ("fd00:ec2::254/128", _("the metadata address of cloud machines")),
        ("fc00::/7", _("a private address")),
        ("fe80::/10", _("a link-local address")),
        ("fec0::/10", _("a private address")),
        ("ff00::/8", _("a multicast address")),
        ("100::/64", _("an address that discards everything")),
        ("2001:db8::/32", _("an address reserved for documentation")),
        ("3fff::/20", _("an address reserved for documentation")),
        ("2001:2::/48", _("an address reserved for benchmarks")),
        ("2001::/23", _("an address reserved for protocols")),  # Teredo, both ORCHIDs, AMT, ...
        ("2620:4f:8000::/48", _("an address reserved for protocols")),
    )
)
_ISATAP = Phrase("an ISATAP address that stands for %(reason)s")
_MAPPED = (
    Phrase("an IPv4-mapped address that stands for %(reason)s"),
    Phrase("an IPv4-mapped address, another spelling of an IPv4 address"),
)
_TRANSLATED = (
    Phrase("an IPv4-translated address that stands for %(reason)s"),
    Phrase("an IPv4-translated address, another spelling of an IPv4 address"),
)
_COMPATIBLE = (
    Phrase("an IPv4-compatible address that stands for %(reason)s"),
    Phrase("an IPv4-compatible address, another spelling of an IPv4 address"),
)
_NAT64 = (
    Phrase("a NAT64 address that stands for %(reason)s"),
    Phrase("a NAT64 address, another spelling of an IPv4 address"),
)
_6TO4 = (
    Phrase("a 6to4 address that stands for %(reason)s"),
    Phrase("a 6to4 address, another spelling of an IPv4 address"),
)
_TEREDO = (
    Phrase("a Teredo address that stands for %(reason)s"),
    Phrase("a Teredo address, another spelling of an IPv4 address"),
)
# Forms that carry an IPv4 address. All are refused, whatever they carry: a host on the internet has a plain address
# too, and what a gateway makes of these is not ours to know. (number of bits to the right of the embedded address)
_EMBEDDING = tuple(
    (IPv6Network(network), shift, stands_for, public)
    for network, shift, stands_for, public in (
        ("::ffff:0:0/96", 0, *_MAPPED),
        ("::ffff:0:0:0/96", 0, *_TRANSLATED),
        ("::/96", 0, *_COMPATIBLE),
        ("64:ff9b::/96", 0, *_NAT64),
        ("64:ff9b:1::/48", 0, *_NAT64),
        ("2002::/16", 80, *_6TO4),
        ("2001::/32", 0, *_TEREDO),
    )
)


def is_loopback(address: Address) -> bool:
    """Whether `address` is in 127.0.0.0/8 or is ::1, written plainly; other spellings of the same do not count."""
    return any(address in network for network in _LOOPBACK if network.version == address.version)


def why_not_public(address: Address) -> str | None:
    """What `address` is, in words that fit after "it is", or None when it is an ordinary public address."""
    if isinstance(address, IPv4Address):
        return _why_not_public_v4(address)
    return _why_embedding(address) or _why_not_public_v6(address)


def _why_not_public_v4(address: IPv4Address) -> str | None:
    for network, reason in _NOT_PUBLIC_V4:
        if address in network:
            return reason
    # Python's own tables come last: they may know of a range registered after ours were written.
    return None if address.is_global and not address.is_multicast else _("not a public address")


def _why_not_public_v6(address: IPv6Address) -> str | None:
    for network, reason in _NOT_PUBLIC_V6:
        if address in network:
            return reason
    return None if address in _PUBLIC_V6 and address.is_global else _("not a public address")


def _why_embedding(address: IPv6Address) -> str | None:
    for network, shift, stands_for, public in _EMBEDDING:
        if address in network and int(address) > 1:  # :: and ::1 have better names
            inner = _why_not_public_v4(_embedded(address, shift, teredo=public is _TEREDO[1]))
            return stands_for(reason=inner).english if inner else public.text
    if (int(address) >> 32) & 0xFDFFFFFF == 0x00005EFE and (reason := _why_not_public_v4(_embedded(address, 0))):
        return _ISATAP(reason=reason).english
    return None


def _embedded(address: IPv6Address, shift: int, *, teredo: bool = False) -> IPv4Address:
    bits = (int(address) >> shift) & 0xFFFFFFFF
    return IPv4Address(bits ^ 0xFFFFFFFF if teredo else bits)
