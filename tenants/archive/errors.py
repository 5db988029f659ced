"""Why an archive that is whole cannot be restored here."""

from __future__ import annotations


class CannotRestore(ValueError):
    """The archive is whole, but cannot be restored here and now; the text says why, and what to do. Nothing was changed."""
