"""What is on the board."""

from django.db import models


class Note(models.Model):
    """A note, and by which handlers it was heard of."""

    text = models.CharField(max_length=200)
    pinned = models.BooleanField(db_default=False)

    def __str__(self) -> str:
        return self.text


class Heard(models.Model):
    """A handler has heard of a note."""

    text = models.CharField(max_length=200)
    handler = models.CharField(max_length=50)

    def __str__(self) -> str:
        return f"{self.handler}: {self.text}"


class Pin(models.Model):
    """What older code has never heard of."""

    text = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.text
