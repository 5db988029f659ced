"""What guests leave."""

from django.conf import settings
from django.db import models


class Entry(models.Model):
    """One line of one guest."""

    text = models.CharField(max_length=200)
    guest = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    seen = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.text
