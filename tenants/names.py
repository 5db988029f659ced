"""Which slugs an organisation may take, and what to offer instead."""

from __future__ import annotations

import re
import secrets
import string
import unicodedata
from collections.abc import Callable

from django.utils.translation import gettext as _

SLUG_PATTERN = r"^[a-z](?!.*--)[a-z0-9-]{1,30}[a-z0-9]$"
_SLUG = re.compile(SLUG_PATTERN)
_ALPHABET = string.ascii_lowercase + string.digits

# Names that would look like the platform's own, or that mail, browsers and networks give a meaning.
RESERVED = frozenset(
    """
    about abuse account accounts acme-challenge admin administrator admins analytics anonymous api apis app apps archive asset assets
    atom auth autoconfig autodiscover backup backups beta billing blog blogs bot broadcasthost build cache calendar careers catalog
    cdn chat checkout client cloud code commerce community compare config connect console contact contacts control cookie cookies
    copyright corp countries create cron css customer customers dashboard data database db debug default delete demo deploy dev
    developer developers dist dns docs documentation domain domains download downloads edge edit email enterprise error errors
    event events example exchange explore export faq favicon feature features feed feedback file files forum forums frontend ftp
    gateway git graphql group groups guest guests guide health healthz help helpdesk home host hostmaster hosting html http https
    icon icons image images imap img inbox index info infra internal invite invites invoice invoices ipad iphone irc is isatap issue
    issues it item items job jobs js json ldap legal license link linux list lists live local localdomain localhost log login
    logout logs mail mailer-daemon mailers main maintenance manage manager marketing master media member members message messages
    metrics mine mobile monitor monitoring mx my mysql net network networks new news newsletter nobody noc node noreply no-reply
    notification notifications ns ns1 ns2 ns3 ns4 null oauth offer official old onboarding online open operator ops order orders org
    organisation organisations organization organizations owner owners page pages panel partner partners password pay payment
    payments photo photos ping platform plugin plugins pop pop3 popular portal post postgres postmaster preview pricing privacy
    private production profile profiles project projects proxy public purchase queue readyz redirect register registration release
    report reports repo reset resource resources root rss sales sandbox script sdk search secret secure security server servers
    service services session sessions setting settings setup sftp shop sign-in sign-up signin signout signup site sitemap sites
    smtp source spec spam sql ssh ssl ssladmin ssladministrator sslwebmaster staff stage staging stat static statistics stats status
    store subdomain subscribe suggest superadmin superuser support survey sync sysadmin sysadministrator system tablet talk task
    tasks team teams tech telnet tenant tenantry tenants terms test testing tests theme themes tls tmp token tools tour trac trial
    tutorial undefined unsubscribe update updates upload uploads url usage usenet user username users uucp vault verify video videos
    vpn web webhook webhooks webmail webmaster website wiki worker workers wpad www www1 www2 www3 xml you
    """.split()
)
# Letters that are no others with an accent: without them “Größe” would be “gro-e”. `signup.js` has the same.
_WRITTEN_OUT = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "þ": "th", "ð": "d"})
_CONFUSABLE = str.maketrans({"0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t"})


def new_schema_name() -> str:
    """A random schema name: never made from what somebody typed, never used twice."""
    return "t_" + "".join(secrets.choice(_ALPHABET) for _ in range(20))


def problem_with(slug: str) -> str:
    """What is wrong with `slug`, in a sentence for the person who typed it; empty if nothing is."""
    if not slug.isascii():
        return _(
            "Use only the letters a to z, digits and hyphens: letters of other alphabets can be mistaken for these."
        )
    if slug.startswith("xn--") or not _SLUG.fullmatch(slug):
        return _("Use 3 to 32 lower-case letters, digits and single hyphens, beginning with a letter.")
    if _is_reserved(slug):
        return _("This name is reserved, or looks like one that is. Choose another one.")
    return ""


def suggest(wanted: str, is_free: Callable[[str], bool]) -> str:
    """A free and allowed slug near `wanted`; empty when none was found."""
    written = wanted.lower().translate(_WRITTEN_OUT)
    plain = unicodedata.normalize("NFKD", written).encode("ascii", "ignore").decode().lower()
    stem = (
        re.sub(r"-{2,}", "-", re.sub(r"[^a-z0-9]+", "-", plain)).strip("-").lstrip(string.digits + "-")[:24].strip("-")
        or "org"
    )
    candidates = [stem, f"{stem}-org", f"{stem}-team", f"{stem}-hq", *(f"{stem}-{number}" for number in range(2, 20))]
    return next((each for each in candidates if not problem_with(each) and is_free(each)), "")


def _is_reserved(slug: str) -> bool:
    """Reserved as it stands, in the singular or plural, without hyphens, or with digits read as the letters they look like."""
    looks = slug.translate(_CONFUSABLE)
    forms = {slug, looks, looks.replace("-", ""), slug.replace("1", "i").translate(_CONFUSABLE)}
    return any(form in RESERVED or form.removesuffix("s") in RESERVED for form in forms)
