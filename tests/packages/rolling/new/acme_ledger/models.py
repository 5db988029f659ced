"""What the platform books."""

from django.db import models


class Entry(models.Model):
    """One booking."""

    text = models.CharField(max_length=200)
    amount = models.IntegerField(db_default=1)

    def __str__(self) -> str:
        return self.text
