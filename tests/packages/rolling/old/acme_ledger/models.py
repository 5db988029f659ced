"""What the platform books."""

from django.db import models


class Entry(models.Model):
    """One booking."""

    text = models.CharField(max_length=200)
    remark = models.CharField(max_length=20, db_default="none")

    def __str__(self) -> str:
        return self.text
