"""A model that has a field more than its migrations, and one that older code does not fill."""

from django.db import models


class Thing(models.Model):
    """A thing."""

    weight = models.IntegerField(default=0)
    colour = models.CharField(max_length=9, default="")

    def __str__(self) -> str:
        return self.colour
