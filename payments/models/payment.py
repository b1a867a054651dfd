"""Payments: one payer's attempt at one wallet."""

from datetime import datetime
from functools import partial
from typing import Self

from django.contrib.postgres.indexes import BrinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from friendpay.kit import ids
from friendpay.kit.models import Row
from friendpay.kit.money import Money
from orders.models import Merchant
from payments.models.account import ProviderAccount
from payments.models.request import PaymentRequest

TAKEN_OVER = "taken_over"
"""The code of an attempt that was closed because another friend took over."""


class PaymentQuerySet(models.QuerySet["Payment"]):
    def undecided(self) -> Self:
        """Attempts the provider may still be paid for."""
        return self.filter(status__in=[Payment.Status.CREATED, Payment.Status.PENDING])

    def due_for_question(self, now: datetime) -> Self:
        """Attempts it is time to ask the provider about."""
        return self.filter(next_attempt_at__lte=now)

    def held_beyond(self, moment: datetime) -> Self:
        """Attempts that hold an amount although their time was over by then."""
        return self.filter(held_until__lte=moment)


class Payment(Row):
    """An attempt to pay (part of) a request through one provider account.

    `amount` was asked for, `amount_captured` is what the provider took, `amount_applied` what of it counts towards the
    request; the difference went back as refunds, or through the payer's bank. `amount_disputed` is what disputes hold
    or have taken. A hold is `amount` while `held_until` is set. `extensions` is how often its payer was given more
    time; None where its wallet was not told that she may be.
    """

    class Status(models.TextChoices):
        CREATED = "created", _("created")
        PENDING = "pending", _("pending")
        SUCCEEDED = "succeeded", _("succeeded")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    public_id = models.CharField(max_length=40, unique=True, default=partial(ids.public_id, "pay"), editable=False)
    token = models.CharField(max_length=40, unique=True, default=ids.token, editable=False)  # the payer's receipt
    merchant = models.ForeignKey(
        Merchant, on_delete=models.PROTECT, related_name="payments", verbose_name=_("shop"), db_index=False
    )
    request = models.ForeignKey(PaymentRequest, on_delete=models.PROTECT, related_name="payments")
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="payments", db_index=False)
    method = models.CharField(_("method"), max_length=20)
    rail = models.CharField(_("rail"), max_length=20)
    status = models.CharField(_("status"), max_length=20, choices=Status, default=Status.CREATED)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    amount_captured = models.BigIntegerField(default=0)
    amount_applied = models.BigIntegerField(default=0)
    amount_disputed = models.BigIntegerField(default=0)
    reference = models.CharField(_("our reference"), max_length=64, editable=False)  # ours: 26; an orphan's: its own
    provider_session = models.CharField(max_length=200, blank=True)
    provider_ref = models.CharField(_("provider reference"), max_length=100, blank=True)
    next_step = models.JSONField(default=dict, blank=True)
    share = models.PositiveSmallIntegerField(null=True, blank=True)  # which of its request's, where these are named
    payer_name = models.CharField(_("payer"), max_length=20, blank=True)
    by_buyer = models.BooleanField(default=False)
    language = models.CharField(max_length=10, blank=True)  # the payer's, for what the wallet shows of a refund
    visitor = models.CharField(max_length=64, blank=True)  # hash of the payer's cookie: to find one's own attempt again
    network = models.CharField(max_length=64, blank=True)  # hash of the payer's network: for limits
    code = models.CharField(max_length=80, blank=True)  # the provider's own code and words when it failed
    words = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    held_until = models.DateTimeField(null=True, blank=True)
    extensions = models.PositiveSmallIntegerField(null=True, blank=True)
    closing = models.BooleanField(default=False)  # nobody wants it any more: close it at the provider
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    error = models.CharField(_("error"), max_length=300, blank=True)  # why the last attempt came to nothing
    succeeded_at = models.DateTimeField(null=True, blank=True)
    billed_on = models.DateField(null=True, editable=False)  # the day, the provider's, whose bill has a line of it

    objects = PaymentQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        permissions = [("refund_payment", "Can refund a payment")]
        constraints = [
            models.UniqueConstraint(fields=["account", "reference"], name="payment_reference_once"),
            models.UniqueConstraint(
                fields=["account", "provider_ref"], condition=~Q(provider_ref=""), name="provider_transaction_once"
            ),
            models.UniqueConstraint(
                fields=["request", "share"],
                condition=Q(share__isnull=False, amount_applied__gt=0),
                name="share_paid_once",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_amount_positive"),
            models.CheckConstraint(
                condition=Q(amount_applied__gte=0, amount_applied__lte=F("amount_captured")),
                name="payment_applied_within_captured",
            ),
            models.CheckConstraint(
                condition=Q(amount_disputed__gte=0, amount_disputed__lte=F("amount_captured")),
                name="payment_disputed_within_captured",
            ),
            models.CheckConstraint(
                condition=Q(
                    status="succeeded", amount_captured__gt=0, succeeded_at__isnull=False, held_until__isnull=True
                )
                & ~Q(provider_ref="")
                | (~Q(status="succeeded") & Q(amount_captured=0, succeeded_at__isnull=True)),
                name="payment_captured_exactly_when_succeeded",
            ),
            models.CheckConstraint(
                condition=Q(held_until__isnull=True) | Q(status__in=["created", "pending"]),
                name="only_undecided_payments_hold",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["created", "pending"]) | Q(next_attempt_at__isnull=False),
                name="undecided_payments_are_asked_about",
            ),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="payment_due", condition=Q(next_attempt_at__isnull=False)),
            models.Index(fields=["held_until"], name="payment_holds", condition=Q(held_until__isnull=False)),
            models.Index(fields=["merchant", "-id"], name="payment_by_merchant"),
            BrinIndex(fields=["created_at", "succeeded_at"], name="payment_by_time", autosummarize=True),
            models.Index(
                fields=["account", "succeeded_at"],
                name="payment_unbilled",
                condition=Q(billed_on__isnull=True, succeeded_at__isnull=False),
            ),
            models.Index(
                OpClass(Upper("payer_name"), "text_pattern_ops"), name="payment_by_payer", condition=~Q(payer_name="")
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def is_undecided(self) -> bool:
        """Whether the provider may still be paid for it."""
        return self.status in (self.Status.CREATED, self.Status.PENDING)

    @property
    def was_taken_over(self) -> bool:
        return self.code == TAKEN_OVER and self.amount_captured == 0

    @property
    def captured(self) -> Money:
        return Money(self.amount_captured, self.currency)
