"""Stored answers to POSTs that carried an Idempotency-Key."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models.functions import Now

from friendpay.kit.models import Row
from orders.models.merchant import Merchant


class StoredAnswerQuerySet(models.QuerySet["StoredAnswer"]):
    def due_for_purge(self, before: datetime) -> Self:
        """Stored before then: nobody repeats a call that late."""
        return self.filter(created_at__lt=before)


class StoredAnswer(Row):
    """The answer to give again. Written in the transaction that did the work: there is never one without the other.

    `fingerprint` is the SHA-256 of the body the key came with first. The answer is encrypted at rest: it may hold a
    secret that is shown once.
    """

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+", db_index=False)
    live = models.BooleanField()
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    sealed = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    objects = StoredAnswerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "live", "method", "path", "key"], name="one_answer_per_idempotency_key"
            )
        ]
        indexes = [models.Index(fields=["created_at"], name="stored_answer_by_age")]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.key}"
