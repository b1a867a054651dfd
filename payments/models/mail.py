"""Mail addresses (and browsers) that people gave us to be told at, and the mails they are to get."""

from datetime import datetime
from functools import partial
from typing import Self

from django.db import models
from django.db.models import Q

from friendpay.kit import ids
from friendpay.kit.models import Row
from orders.models import Event, Order
from payments.models.payment import Payment
from payments.models.request import PaymentRequest


class MailAddress(Row):
    """An e-mail address somebody typed, and what for: the buyer's news, a payer's receipt, a friend's reminder.

    `address` is empty as soon as nothing more is to be sent to it; the row goes at `ends_at`. Until then its `digest`
    counts for limits, and after `stopped_at` it keeps everybody from giving us that address again.
    """

    class Role(models.TextChoices):
        BUYER = "buyer"
        PAYER = "payer"
        FRIEND = "friend"

    token = models.CharField(max_length=40, unique=True, default=ids.token, editable=False)  # to stop it by
    role = models.CharField(max_length=10, choices=Role)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="+")
    request = models.ForeignKey(PaymentRequest, on_delete=models.CASCADE, related_name="+")
    payment = models.ForeignKey(Payment, on_delete=models.CASCADE, related_name="+", null=True)
    share = models.PositiveSmallIntegerField(null=True)  # which of the named ones a friend is reminded of, from 0
    address = models.CharField(max_length=254, blank=True)
    subscription = models.JSONField(null=True)  # of a browser that is told by push instead; `address` is its service's
    digest = models.CharField(max_length=64)
    language = models.CharField(max_length=10)
    visitor = models.CharField(max_length=64, blank=True)
    network = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        indexes = [
            models.Index(fields=["digest", "created_at"], name="mail_address_by_digest"),
            models.Index(fields=["network", "created_at"], name="mail_address_by_network"),
            models.Index(fields=["ends_at"], name="mail_address_ends"),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.pk}"

    @property
    def veiled(self) -> str:
        """As its owner knows it again and nobody else can use it: l…@shop.example."""
        name, _at, host = self.address.rpartition("@")
        return f"{name[:1]}…@{host}"


class MailQuerySet(models.QuerySet["Mail"]):
    def due(self, now: datetime) -> Self:
        """Mails it is time to send."""
        return self.filter(next_attempt_at__lte=now)


class Mail(Row):
    """One mail that is due or was sent. Its id makes its Message-ID, so that a second sending is seen to be the same.

    `event` is what it tells of; a reminder tells of none.
    """

    class Kind(models.TextChoices):
        PAID = "paid"
        DECLINED = "declined"
        EXPIRED = "expired"
        REFUNDED = "refunded"
        RECEIPT = "receipt"
        RETURNED = "returned"
        THANKED = "thanked"
        REMINDER = "reminder"

    public_id = models.CharField(max_length=40, unique=True, default=partial(ids.public_id, "mail"), editable=False)
    to = models.ForeignKey(MailAddress, on_delete=models.CASCADE, related_name="mails", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="+", null=True)
    next_attempt_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)  # why the last attempt came to nothing
    sent_at = models.DateTimeField(null=True)

    objects = MailQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = [models.UniqueConstraint(fields=["to", "event"], name="mail_once")]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="mail_due", condition=Q(next_attempt_at__isnull=False))
        ]

    def __str__(self) -> str:
        return self.public_id
