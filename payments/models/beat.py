"""Heartbeats: when background work was last seen to run, and what the last look at the books found."""

from django.db import models

from friendpay.kit.models import Row


class Beat(Row):
    """The last sign of life of a queue: a scheduler that beats, and a worker that took what it sent."""

    queue = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.queue


class LedgerCheck(Row):
    """When the books were last checked, and in how many places they were wrong. One row, written anew each time."""

    at = models.DateTimeField()
    findings = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.at}: {self.findings}"
