"""Guarded HTTP and SMTP: connections that a tenant's settings cannot turn against us. Standard library only."""

from plugin_framework.sdk.net._errors import (
    ConnectionBroken,
    DestinationRefused,
    DestinationUnreachable,
    HttpStatusError,
    InvalidAnswer,
    InvalidRequest,
    NetworkError,
    NetworkTimeout,
    RedirectRefused,
    SmtpError,
    TlsError,
)
from plugin_framework.sdk.net._guard import Destination, resolve
from plugin_framework.sdk.net._http import HttpClient
from plugin_framework.sdk.net._http_response import HttpResponse
from plugin_framework.sdk.net._policy import PUBLIC_ONLY, NetworkPolicy
from plugin_framework.sdk.net._smtp import SmtpClient, SmtpReceipt, TlsMode

__all__ = [
    "PUBLIC_ONLY",
    "ConnectionBroken",
    "Destination",
    "DestinationRefused",
    "DestinationUnreachable",
    "HttpClient",
    "HttpResponse",
    "HttpStatusError",
    "InvalidAnswer",
    "InvalidRequest",
    "NetworkError",
    "NetworkPolicy",
    "NetworkTimeout",
    "RedirectRefused",
    "SmtpClient",
    "SmtpError",
    "SmtpReceipt",
    "TlsError",
    "TlsMode",
    "resolve",
]
