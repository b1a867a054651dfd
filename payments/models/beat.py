"""Heartbeats: when background work was last seen to run."""

from django.db import models


class Beat(models.Model):
    """The last sign of life of a queue: a scheduler that beats, and a worker that took what it sent."""

    queue = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.queue
