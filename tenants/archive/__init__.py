"""One tenant in one file: exported in one consistent state, and restored from it under a new schema of the same installation."""

from tenants.archive.errors import CannotRestore
from tenants.archive.exporting import Exported, export, write
from tenants.archive.format import BadArchive
from tenants.archive.restoring import Restored, restore

__all__ = ["BadArchive", "CannotRestore", "Exported", "Restored", "export", "restore", "write"]
