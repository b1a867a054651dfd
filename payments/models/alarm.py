"""Ledger alarms: what the ledger check found wrong, until it finds it right."""

from django.db import models

from friendpay.kit.models import Row


class LedgerAlarm(Row):
    """A row that breaks a rule of the books, since it was first found. Written by `ledger.alarm` alone."""

    rule = models.CharField(max_length=200)
    object_id = models.CharField(max_length=40)
    detail = models.CharField(max_length=300)
    found_at = models.DateTimeField()

    class Meta:
        ordering = ("found_at", "id")
        constraints = [models.UniqueConstraint(fields=["rule", "object_id"], name="ledger_alarm_once")]

    def __str__(self) -> str:
        return f"{self.rule}: {self.object_id}"
