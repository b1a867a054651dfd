"""The journal of what moves after money was captured: append-only, so that a day that is over never reads otherwise."""

from datetime import datetime

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from friendpay.kit.models import Row
from payments.models.account import ProviderAccount
from payments.models.dispute import Dispute
from payments.models.payment import Payment
from payments.models.refund import Refund


class Movement(Row):
    """Money that left a payment, or came back to it, at its time. Written with the change it tells of, and never
    changed: what comes back is a row of its own, with a negative amount.

    What was captured is not here: the payment's own row says when and how much, and neither ever changes.
    """

    class Kind(models.TextChoices):
        REFUNDED = "refunded", _("refunded by the shop")
        RETURNED = "returned", _("returned, for it did not fit")
        DISPUTED = "disputed", _("held or taken for a dispute")
        UNAPPLIED = "unapplied", _("counts no more, for the request ended unpaid")

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="movements")
    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, null=True, related_name="movements")
    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, null=True, related_name="movements")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        verbose_name = _("books")
        verbose_name_plural = _("books")
        default_permissions = ("view",)
        permissions = [("export_movement", "Can export the books")]
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="movement_moves"),
            models.CheckConstraint(
                condition=Q(kind__in=["refunded", "returned"], refund__isnull=False, dispute__isnull=True)
                | Q(kind="disputed", refund__isnull=True, dispute__isnull=False)
                | Q(kind="unapplied", refund__isnull=True, dispute__isnull=True, amount__gt=0),
                name="movement_is_of_its_kind",
            ),
        ]
        indexes = [BrinIndex(fields=["at"], name="movement_by_time", autosummarize=True)]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.currency}"

    @classmethod
    def of_unapplied(cls, payment: Payment, at: datetime) -> "Movement":
        """All that counted of a payment counts no more."""
        currency, amount = payment.currency, payment.amount_applied
        return cls(payment=payment, kind=cls.Kind.UNAPPLIED, currency=currency, amount=amount, at=at)

    @classmethod
    def of_refund(cls, refund: Refund, amount: int, at: datetime) -> "Movement":
        """So much of a refund is with its payer now; a negative amount is with the shop again."""
        kind = cls.Kind.REFUNDED if refund.reason == Refund.Reason.MERCHANT else cls.Kind.RETURNED
        return cls(
            payment_id=refund.payment_id, refund=refund, kind=kind, currency=refund.currency, amount=amount, at=at
        )


class Fee(Row):
    """What a wallet kept for one line of its daily bill, as the bill says; negative where it gave some back."""

    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="fees", db_index=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="fees")
    about = models.CharField(_("about"), max_length=10)  # "charge", "refund" or "dispute"
    reference = models.CharField(_("our reference"), max_length=200)
    day = models.DateField(_("day"))  # the wallet's own
    currency = models.CharField(max_length=3)  # that of the wallet's bill, which may be another than the payer's
    amount = models.BigIntegerField()

    class Meta:
        ordering = ("day", "id")
        constraints = [
            models.UniqueConstraint(fields=["account", "day", "about", "reference"], name="fee_once"),
            models.CheckConstraint(condition=~Q(amount=0), name="fee_is_one"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} of {self.reference}"
