"""Says which organisations are damaged, to whoever starts or looks after the platform: everything else goes on without them."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import Error

from plugin_framework.tenancy import TenantRef
from saas.links import url_of
from tenants import wholeness
from tenants.provisioning import PLATFORM_SLUG

log = logging.getLogger(__name__)
REMEDY = "Its page in the console says what can be done: {url}"


def remedy(ref: TenantRef) -> str:
    """What to do about a damaged organisation."""
    return REMEDY.format(url=url_of(f"{PLATFORM_SLUG}.{settings.BASE_DOMAIN}", f"/tenants/{ref.slug}/"))


def sentence(ref: TenantRef) -> str:
    """What is wrong with a damaged organisation, and what to do, in English, for the operator."""
    return (
        f"{ref.name} ({ref.slug}) is damaged: its schema {ref.schema} is not there, or is not complete. "
        f"All others are served. {remedy(ref)}"
    )


def tell() -> None:
    """Log an error for each damaged organisation. A database that does not answer is somebody else's to report."""
    try:
        for ref in wholeness.lost():
            log.error("%s", sentence(ref))
    except Error as error:
        log.warning("It could not be found out whether an organisation is damaged: %s", str(error).strip())
