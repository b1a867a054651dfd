"""One payer's attempt, and money on its way back."""

from datetime import datetime
from functools import partial
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from friendpay import ids
from orders.models import Merchant
from orders.money import Money
from payments.models.account import ProviderAccount
from payments.models.request import PaymentRequest


class PaymentQuerySet(models.QuerySet["Payment"]):
    def undecided(self) -> Self:
        """Attempts the provider may still be paid for."""
        return self.filter(status__in=[Payment.Status.CREATED, Payment.Status.PENDING])

    def due_for_question(self, now: datetime) -> Self:
        """Attempts it is time to ask the provider about."""
        return self.filter(next_attempt_at__lte=now)


class Payment(models.Model):
    """An attempt to pay (part of) a request through one provider account.

    `amount` was asked for, `amount_captured` is what the provider took, `amount_applied` what of it counts towards the
    request; the difference went back as refunds. A hold is `amount` while `held_until` is set.
    """

    class Status(models.TextChoices):
        CREATED = "created", _("created")
        PENDING = "pending", _("pending")
        SUCCEEDED = "succeeded", _("succeeded")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    public_id = models.CharField(max_length=40, unique=True, default=partial(ids.public_id, "pay"), editable=False)
    token = models.CharField(max_length=40, unique=True, default=ids.token, editable=False)  # the payer's receipt
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="payments", verbose_name=_("shop"))
    request = models.ForeignKey(PaymentRequest, on_delete=models.PROTECT, related_name="payments")
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="payments")
    method = models.CharField(_("method"), max_length=20)
    rail = models.CharField(_("rail"), max_length=20)
    status = models.CharField(_("status"), max_length=20, choices=Status, default=Status.CREATED)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    amount_captured = models.BigIntegerField(default=0)
    amount_applied = models.BigIntegerField(default=0)
    reference = models.CharField(_("our reference"), max_length=64, editable=False)  # ours: 26; an orphan's: its own
    provider_session = models.CharField(max_length=200, blank=True)
    provider_ref = models.CharField(_("provider reference"), max_length=100, blank=True)
    next_step = models.JSONField(default=dict, blank=True)
    payer_name = models.CharField(_("payer"), max_length=20, blank=True)
    by_buyer = models.BooleanField(default=False)
    visitor = models.CharField(max_length=64, blank=True)  # hash of the payer's cookie: to find one's own attempt again
    network = models.CharField(max_length=64, blank=True)  # hash of the payer's network: for limits
    code = models.CharField(max_length=80, blank=True)  # the provider's own code and words when it failed
    words = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    held_until = models.DateTimeField(null=True, blank=True)
    closing = models.BooleanField(default=False)  # nobody wants it any more: close it at the provider
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
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
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_amount_positive"),
            models.CheckConstraint(
                condition=Q(amount_applied__gte=0, amount_applied__lte=F("amount_captured")),
                name="payment_applied_within_captured",
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
            models.Index(fields=["merchant", "-id"], name="payment_by_merchant"),
            models.Index(
                fields=["account", "succeeded_at"],
                name="payment_unbilled",
                condition=Q(billed_on__isnull=True, succeeded_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def captured(self) -> Money:
        return Money(self.amount_captured, self.currency)


class RefundQuerySet(models.QuerySet["Refund"]):
    def due(self, now: datetime) -> Self:
        """Refunds it is time to send, or to ask about."""
        return self.filter(next_attempt_at__lte=now)


class Refund(models.Model):
    """Money going back to the payer through the provider that took it. `reference` is sent again on every retry."""

    class Status(models.TextChoices):
        REQUESTED = "requested", _("requested")
        SUBMITTED = "submitted", _("submitted")
        SUCCEEDED = "succeeded", _("succeeded")
        FAILED = "failed", _("failed")

    class Reason(models.TextChoices):
        MERCHANT = "merchant", _("by the shop")
        LATE = "late", _("came too late")
        DUPLICATE = "duplicate", _("somebody else had already paid")
        SURPLUS = "surplus", _("more than was needed")
        UNDERFUNDED = "underfunded", _("the full amount did not come together")
        MISMATCH = "mismatch", _("not the amount that was asked for")

    public_id = models.CharField(max_length=40, unique=True, default=partial(ids.public_id, "re"), editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="refunds", verbose_name=_("shop"))
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="refunds")
    status = models.CharField(_("status"), max_length=20, choices=Status, default=Status.REQUESTED)
    reason = models.CharField(_("reason"), max_length=20, choices=Reason)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    reference = models.CharField(max_length=32, editable=False)
    provider_ref = models.CharField(max_length=100, blank=True)
    code = models.CharField(max_length=80, blank=True)
    words = models.CharField(max_length=300, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    succeeded_at = models.DateTimeField(null=True, blank=True)
    billed_on = models.DateField(null=True, editable=False)  # the day, the provider's, whose bill has a line of it

    objects = RefundQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        permissions = [("resend_refund", "Can send a failed refund again")]
        constraints = [
            models.UniqueConstraint(fields=["account", "reference"], name="refund_reference_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_amount_positive"),
            models.CheckConstraint(
                condition=Q(status="succeeded", succeeded_at__isnull=False, next_attempt_at__isnull=True)
                | (~Q(status="succeeded") & Q(succeeded_at__isnull=True)),
                name="refund_succeeded_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["requested", "submitted"]) | Q(next_attempt_at__isnull=False),
                name="undecided_refunds_are_asked_about",
            ),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="refund_due", condition=Q(next_attempt_at__isnull=False)),
            models.Index(fields=["id"], name="refund_failed", condition=Q(status="failed")),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)
