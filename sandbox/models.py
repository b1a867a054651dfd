"""What the sandbox wallet keeps: charges, what went back of them, and the notifications it sends."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from friendpay.kit import ids
from friendpay.kit.models import Row


class Charge(Row):
    """An amount a shop asks one payer for. `ref` opens the payer's page, `reference` is the shop's own number.

    `refunded` is the sum of its refunds; it changes under the charge's lock, and the database keeps it within `amount`.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("waiting for approval")
        PAID = "paid", _("paid")
        REFUSED = "refused", _("refused")
        CLOSED = "closed", _("closed")

    class Simulated(models.TextChoices):
        """What becomes of it once its payer approves; "" is `paid`."""

        PAID = "paid"
        REFUSED = "refused"
        UNTOLD = "untold"
        DISPUTED = "disputed"
        DISPUTE_WON = "dispute_won"
        DISPUTE_LOST = "dispute_lost"
        REFUND_REFUSED = "refund_refused"
        REFUND_SLOW = "refund_slow"
        REFUNDED_BY_HAND = "refunded_by_hand"

    ref = models.CharField(max_length=40, unique=True, default=ids.token, editable=False)
    account = models.CharField(max_length=64)
    secret = models.CharField(max_length=200)  # signs what the wallet tells the shop
    reference = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    exponent = models.PositiveSmallIntegerField()  # decimals of the currency, for the page
    amount = models.BigIntegerField()
    refunded = models.BigIntegerField(default=0)
    subject = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    simulated = models.CharField(max_length=20, choices=Simulated, blank=True)
    transaction = models.CharField(max_length=40, blank=True)  # the wallet's number of the movement
    deadline = models.DateTimeField()
    notify_url = models.CharField(max_length=500)
    return_url = models.CharField(max_length=500)
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["account", "reference"], name="sandbox_charge_once"),
            models.UniqueConstraint(
                fields=["transaction"], condition=~Q(transaction=""), name="sandbox_charge_transaction_once"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="sandbox_charge_positive"),
            models.CheckConstraint(
                condition=(Q(status="open", decided_at__isnull=True) & Q(transaction=""))
                | (Q(status="paid", decided_at__isnull=False) & ~Q(transaction=""))
                | (Q(status__in=["refused", "closed"], decided_at__isnull=False) & Q(transaction="")),
                name="sandbox_charge_moved_exactly_when_paid",
            ),
            models.CheckConstraint(
                condition=Q(refunded=0) | Q(status="paid", refunded__gt=0, refunded__lte=F("amount")),
                name="sandbox_charge_refunded_within_paid",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "decided_at"], name="sandbox_charge_bill", condition=Q(status="paid")),
        ]

    def __str__(self) -> str:
        return self.reference


class ChargeRefund(Row):
    """Money that went back to the payer. A row is a refund made; a refused one leaves none."""

    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="refunds")
    account = models.CharField(max_length=64)
    reference = models.CharField(max_length=64)
    amount = models.BigIntegerField()
    transaction = models.CharField(max_length=40, unique=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["account", "reference"], name="sandbox_refund_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="sandbox_refund_positive"),
        ]
        indexes = [models.Index(fields=["account", "created_at"], name="sandbox_refund_bill")]

    def __str__(self) -> str:
        return self.reference


class NoticeQuerySet(models.QuerySet["Notice"]):
    def due(self, now: datetime) -> Self:
        """Notifications it is time to send, the longest waiting first."""
        return self.filter(next_attempt_at__lte=now).order_by("next_attempt_at", "id")


class Notice(Row):
    """A notification to a shop, sent until it is accepted: the same id and the same bytes on every attempt.

    `next_attempt_at` is the schedule and a sender's lease in one: whoever sends it moves the time on first. It is empty
    once the notice was delivered, given up, or held back by the payer's page.
    """

    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="notices")
    event_id = models.CharField(max_length=40, unique=True)
    kind = models.CharField(max_length=30)
    body = models.TextField()
    created_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(delivered_at__isnull=True) | Q(next_attempt_at__isnull=True),
                name="sandbox_notice_rests",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="sandbox_notice_due", condition=Q(next_attempt_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.event_id
