"""What a provider's bill says otherwise than our own books."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from payments.models.account import ProviderAccount


class BillMismatch(models.Model):
    """One difference between a provider's bill of a day and ours: work for support until it is marked as settled."""

    class Kind(models.TextChoices):
        MISSING_HERE = "missing_here", _("on the bill, but not in our books")
        MISSING_THERE = "missing_there", _("in our books, but not on the bill")
        AMOUNT = "amount", _("another amount")
        STATUS = "status", _("another status")

    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="bill_mismatches")
    day = models.DateField(_("day"))
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    about = models.CharField(_("about"), max_length=10)  # "charge" or "refund"
    reference = models.CharField(_("our reference"), max_length=64)
    provider_ref = models.CharField(_("provider reference"), max_length=100, blank=True)
    ours = models.CharField(_("in our books"), max_length=60, blank=True)
    theirs = models.CharField(_("on the bill"), max_length=60, blank=True)
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
