"""A model that has a field more than its migration."""

from django.db import models


class Thing(models.Model):
    """A thing."""

    colour = models.CharField(max_length=9, default="")

    def __str__(self) -> str:
        return self.colour
