"""What can go wrong on the way to another host, in sentences a tenant's admin can read and act on.

No text here ever holds a password, a path, a query or a header: a Slack webhook's path *is* its secret. Hosts and
ports are named.
"""

from __future__ import annotations

from typing import Self


class NetworkError(Exception):
    """Something between us and another host went wrong; ``str()`` is the plain reason.

    Attributes:
        status: what the other side answered (an HTTP status or an SMTP reply code), or None when there was no answer.
        retry_after: seconds the other side asked us to wait, or None.
        permanent: True when trying the very same thing again cannot help (see the subclasses for how that is decided).
    """

    def __init__(
        self, message: str, *, status: int | None = None, retry_after: float | None = None, permanent: bool = False
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        self.permanent = permanent

    def detached(self) -> Self:
        """The same error without what led to it.

        Inner exceptions and frames can hold what the other side echoed back (a password, say); ``raise … from None``
        only hides them. Raise the result outside of any ``except`` block.
        """
        self.__cause__ = self.__context__ = None
        return self.with_traceback(None)


class DestinationRefused(NetworkError):
    """The guard does not let us go there.

    Permanent when the address as it is written can never pass (a literal address, a bad port, a malformed URL); not
    permanent when it is DNS that answered with a forbidden address: records change, and refusing again costs no
    connection.
    """


class DestinationUnreachable(NetworkError):
    """The name is unknown, or nothing accepts connections there. Never permanent: hosts come back."""


class NetworkTimeout(NetworkError):
    """The total deadline passed, in whatever step. Never permanent."""


class TlsError(NetworkError):
    """No encrypted connection, or a certificate that does not prove the name. Never permanent: they get renewed."""


class ConnectionBroken(NetworkError):
    """The other side closed or reset the connection before its answer was complete. Never permanent."""


class InvalidAnswer(NetworkError):
    """What came back is not the protocol we speak, or breaks our limits. Never permanent."""


class InvalidRequest(NetworkError):
    """What we were asked to send cannot be sent safely (a line break in a header, say). Always permanent."""

    def __init__(self, message: str, *, permanent: bool = True) -> None:
        super().__init__(message, permanent=permanent)


class HttpStatusError(NetworkError):
    """An HTTP answer other than 2xx. Permanent for 410 Gone alone: every other status may pass."""


class RedirectRefused(HttpStatusError):
    """The answer was a redirect; these are never followed, because they lead where nobody checked."""


class SmtpError(NetworkError):
    """The mail server said no.

    Permanent for a 5xx about this sender, recipient or text; not for a refused sign-in, which an admin mends.
    """
