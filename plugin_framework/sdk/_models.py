"""The base of a plugin's models, and a column for secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:  # Django's class takes no parameters while the program runs
    _TextField = models.TextField


class PluginModel(models.Model):
    """Rows that belong to a plugin, with the times at which they were made and changed."""

    plugin_name = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class SealedField(_TextField):
    """Holds what `seal` returned, or nothing; `manage.py keys rotate` finds the column and seals its values anew.

    It converts nothing: the attribute is the sealed text, so a row can be read, listed and copied without opening its secret.

    Args:
        purpose: as it is given to `seal` and `unseal`; several columns may share one.
    """

    def __init__(self, *args: Any, purpose: str, **options: Any) -> None:
        self.purpose = purpose
        super().__init__(*args, **options)

    def deconstruct(self) -> Any:
        """As a migration writes it; the purpose changes nothing in the table, but the old models of a migration seal too."""
        name, _, args, options = super().deconstruct()
        return name, "plugin_framework.sdk.SealedField", args, {**options, "purpose": self.purpose}
