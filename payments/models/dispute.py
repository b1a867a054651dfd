"""Disputes (chargebacks): a payer asks the bank or wallet for the money back."""

from datetime import datetime
from functools import partial
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from friendpay.kit import ids
from friendpay.kit.models import Row
from payments.models.account import ProviderAccount
from payments.models.payment import Payment


class DisputeQuerySet(models.QuerySet["Dispute"]):
    def due(self, now: datetime) -> Self:
        """Those that are not decided, and that it is time to ask the wallet about."""
        return self.filter(closed_at=None, next_attempt_at__lte=now)


class Dispute(Row):
    """A payer asks the bank for the money of a payment back. Work for support until the wallet says who has won; the
    answer, with its evidence, is given in the wallet's own site. Until then it is asked about: news of its end may
    never come.

    `amount` is what is asked for. `amount_taken` is what of the payment's money the bank holds meanwhile, or has taken
    for good: never what the payer has back already. An inquiry moves no money.
    """

    class Status(models.TextChoices):
        INQUIRY = "inquiry", _("inquiry")
        OPEN = "open", _("open")
        WON = "won", _("won")
        LOST = "lost", _("lost")

    public_id = models.CharField(max_length=40, unique=True, default=partial(ids.public_id, "dp"), editable=False)
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="disputes", db_index=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.OPEN)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    amount_taken = models.BigIntegerField(default=0)  # in the payment's currency
    provider_ref = models.CharField(_("provider reference"), max_length=200)
    code = models.CharField(max_length=80, blank=True)  # the provider's word for the reason
    words = models.CharField(max_length=300, blank=True)  # until when it wants an answer
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True, db_default=Now())
    attempts = models.PositiveIntegerField(_("attempts"), default=0, db_default=0)  # since the wallet last answered
    error = models.CharField(_("error"), max_length=300, blank=True, default="", db_default="")

    objects = DisputeQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        constraints = [
            models.UniqueConstraint(fields=["account", "provider_ref"], name="dispute_once"),
            models.CheckConstraint(
                condition=Q(status__in=["inquiry", "open"], closed_at__isnull=True)
                | Q(status__in=["won", "lost"], closed_at__isnull=False),
                name="dispute_closed_has_time",
            ),
            models.CheckConstraint(
                condition=Q(amount_taken=0) | Q(amount_taken__gt=0, status__in=["open", "lost"]),
                name="only_open_and_lost_disputes_take",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=False) | Q(next_attempt_at__isnull=False),
                name="undecided_disputes_are_asked_about",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], name="dispute_open", condition=Q(closed_at__isnull=True)),
            models.Index(fields=["next_attempt_at"], name="dispute_due", condition=Q(closed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def claim(self) -> int:
        """What it takes of the payment's money, as far as there is any. One in another currency takes all there is."""
        if self.status not in (self.Status.OPEN, self.Status.LOST):
            return 0
        return self.amount if self.currency == self.payment.currency else self.payment.amount_captured
