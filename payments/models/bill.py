"""Bill days to compare, and mismatches between a provider's bill and our books."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from friendpay.kit.models import Row
from payments.models.account import ProviderAccount


class BillDayQuerySet(models.QuerySet["BillDay"]):
    def due(self, now: datetime) -> Self:
        """Days whose bill it is time to ask for."""
        return self.filter(next_attempt_at__lte=now)


class BillDay(Row):
    """One day of one account, by the provider's calendar. Its bill is asked for until it was there and compared."""

    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="bill_days", db_index=False)
    day = models.DateField()
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    compared_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    objects = BillDayQuerySet.as_manager()

    class Meta:
        ordering = ("-day", "id")
        constraints = [models.UniqueConstraint(fields=["account", "day"], name="bill_day_once")]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="bill_day_due", condition=Q(next_attempt_at__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.day}"


class BillMismatch(Row):
    """One difference between a provider's bill of a day and ours: work for support until it is marked as settled."""

    class Kind(models.TextChoices):
        MISSING_HERE = "missing_here", _("on the bill, but not in our books")
        MISSING_THERE = "missing_there", _("in our books, but not on the bill")
        AMOUNT = "amount", _("another amount")
        STATUS = "status", _("another status")
        NO_BILL = "no_bill", _("the bill cannot be had")

    account = models.ForeignKey(
        ProviderAccount, on_delete=models.PROTECT, related_name="bill_mismatches", db_index=False
    )
    day = models.DateField(_("day"))
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    about = models.CharField(_("about"), max_length=10)  # "charge", "refund", or "bill"
    reference = models.CharField(_("our reference"), max_length=200)
    provider_ref = models.CharField(_("provider reference"), max_length=200, blank=True)
    ours = models.CharField(_("in our books"), max_length=60, blank=True)
    theirs = models.CharField(_("on the bill"), max_length=200, blank=True)
    fee = models.BigIntegerField(null=True, editable=False)  # what the wallet kept, where it is booked nowhere else
    fee_currency = models.CharField(max_length=3, default="", db_default="", blank=True, editable=False)
    found_at = models.DateTimeField()
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        ordering = ("-day", "id")
        verbose_name = _("bill mismatch")
        verbose_name_plural = _("bill mismatches")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "day", "about", "reference", "provider_ref", "kind"], name="bill_mismatch_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.kind} {self.reference}"
