"""Refunds: money on its way back to a payer."""

from datetime import datetime
from functools import partial
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from friendpay.kit import ids, limits
from friendpay.kit.models import Row
from friendpay.kit.money import Money
from orders.models import Merchant
from payments.models.account import ProviderAccount
from payments.models.payment import Payment
from payments.models.request import PaymentRequest


class RefundQuerySet(models.QuerySet["Refund"]):
    def due(self, now: datetime) -> Self:
        """Refunds it is time to send, or to ask about."""
        return self.filter(next_attempt_at__lte=now)

    def standing(self) -> Self:
        """Every refund but those that were withdrawn: what went back, what is on its way, and what is still owed."""
        return self.exclude(status=Refund.Status.WITHDRAWN)

    def numbered(self, account: ProviderAccount, reference: str) -> "Refund | None":
        """The refund that bears or once bore this number of ours."""
        ours = self.filter(account=account)
        known = ours.filter(reference=reference).first()
        return known or ours.exclude(past_references=[]).filter(past_references__contains=[reference]).first()

    def held_up(self, now: datetime) -> Self:
        """Undecided for hours, or waiting for something that only the shop can do: somebody should look."""
        undecided = self.filter(status__in=[Refund.Status.REQUESTED, Refund.Status.SUBMITTED])
        return undecided.filter(Q(waits_for_shop=True) | Q(created_at__lte=now - limits.REFUND_IS_WORK_AFTER))


class Refund(Row):
    """Money going back to the payer through the provider that took it. `reference` is sent again on every retry, until
    the provider says that it is dead; it is then one of `past_references`, and the refund goes on under another.

    What failed is still owed. It is sent again, withdrawn (the merchant's alone: it is owed no more, or in another
    shape), or returned by other means than through the wallet.
    """

    class Status(models.TextChoices):
        REQUESTED = "requested", _("requested")
        SUBMITTED = "submitted", _("submitted")
        SUCCEEDED = "succeeded", _("succeeded")
        FAILED = "failed", _("failed")
        WITHDRAWN = "withdrawn", _("withdrawn")
        RETURNED_ELSEWHERE = "returned_elsewhere", _("returned by other means")

    class Reason(models.TextChoices):
        MERCHANT = "merchant", _("by the shop")
        LATE = "late", _("came too late")
        DUPLICATE = "duplicate", _("someone else had already paid")
        SURPLUS = "surplus", _("more than was needed")
        UNDERFUNDED = "underfunded", _("the full amount wasn't reached")
        MISMATCH = "mismatch", _("not the amount that was asked for")

    public_id = models.CharField(max_length=40, unique=True, default=partial(ids.public_id, "re"), editable=False)
    merchant = models.ForeignKey(
        Merchant, on_delete=models.PROTECT, related_name="refunds", verbose_name=_("shop"), db_index=False
    )
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="refunds", db_index=False)
    status = models.CharField(_("status"), max_length=20, choices=Status, default=Status.REQUESTED)
    reason = models.CharField(_("reason"), max_length=20, choices=Reason)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    reference = models.CharField(max_length=64, editable=False)  # ours: 26 symbols; an external one's: the provider's
    past_references = ArrayField(models.CharField(max_length=32), default=list, blank=True, editable=False)
    merchant_reference = models.CharField(
        _("shop's reference"), max_length=64, blank=True, default="", db_default=""
    )  # of the call that asked for it: its parts, to several payers or in several shapes, share it
    provider_ref = models.CharField(max_length=100, blank=True)
    code = models.CharField(max_length=80, blank=True)
    words = models.CharField(max_length=300, blank=True)
    waits_for_shop = models.BooleanField(default=False)  # keys, rights, balance, a decision in the wallet's own site
    note = models.CharField(_("note"), max_length=200, blank=True)
    returned_how = models.CharField(_("how it was returned"), max_length=200, blank=True)
    external = models.BooleanField(_("made at the wallet"), default=False)  # by the shop, in the wallet's own site
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    error = models.CharField(_("error"), max_length=300, blank=True)  # why the last attempt came to nothing
    goods = models.JSONField(null=True, editable=False)  # which lines it is of (`payments.settlement.goods`)
    sent_at = models.DateTimeField(null=True, blank=True)  # when the provider was last asked to make it
    succeeded_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)  # when it was withdrawn, or returned by other means
    billed_on = models.DateField(null=True, editable=False)  # the day, the provider's, whose bill has a line of it

    objects = RefundQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        permissions = [
            ("resend_refund", "Can send a failed refund again, also in parts"),
            ("withdraw_refund", "Can withdraw a failed refund"),
            ("settle_refund", "Can say that a refund was returned by other means"),
        ]
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
            models.CheckConstraint(
                condition=Q(
                    status__in=["withdrawn", "returned_elsewhere"],
                    closed_at__isnull=False,
                    next_attempt_at__isnull=True,
                )
                | (~Q(status__in=["withdrawn", "returned_elsewhere"]) & Q(closed_at__isnull=True)),
                name="refund_closed_has_time",
            ),
            models.CheckConstraint(
                condition=(Q(status="returned_elsewhere") & ~Q(returned_how="")) | ~Q(status="returned_elsewhere"),
                name="refund_returned_elsewhere_says_how",
            ),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="refund_due", condition=Q(next_attempt_at__isnull=False)),
            models.Index(fields=["id"], name="refund_failed", condition=Q(status="failed")),
            models.Index(fields=["merchant", "-id"], name="refund_by_merchant"),
            BrinIndex(fields=["created_at", "succeeded_at", "closed_at"], name="refund_by_time", autosummarize=True),
            models.Index(
                fields=["merchant", "merchant_reference"],
                name="refund_by_merchant_reference",
                condition=~Q(merchant_reference=""),
            ),
            models.Index(fields=["account"], name="refund_renumbered", condition=~Q(past_references=[])),
            models.Index(fields=["account", "provider_ref"], name="refund_by_provider_ref"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def is_of_cancelled(self) -> bool:
        """Whether it goes back since the request was cancelled, not since its time was over."""
        ended = self.payment.request.status == PaymentRequest.Status.CANCELLED
        return self.reason == self.Reason.UNDERFUNDED and ended

    @property
    def why(self) -> str:
        """Why the money goes back, in a few words."""
        return str(_("the request was cancelled")) if self.is_of_cancelled else self.get_reason_display()

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def is_undecided(self) -> bool:
        """On its way: to be sent, or with the provider."""
        return self.status in (self.Status.REQUESTED, self.Status.SUBMITTED)

    @property
    def is_back(self) -> bool:
        """The payer has the money again, through the wallet or by other means. A bank may still send it back (S7)."""
        return self.status in (self.Status.SUCCEEDED, self.Status.RETURNED_ELSEWHERE)

    @property
    def is_withdrawn(self) -> bool:
        """Nothing is owed on it any more, and nothing of it was returned."""
        return self.status == self.Status.WITHDRAWN

    @property
    def is_final(self) -> bool:
        """Nothing more is to be done about it."""
        return self.is_back or self.is_withdrawn

    @property
    def back_at(self) -> datetime | None:
        """Since when the payer has the money again."""
        return self.succeeded_at or (self.closed_at if self.is_back else None)
