"""Payments that a payer has disputed at the bank or wallet."""

from functools import partial

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from friendpay import ids
from payments.models.account import ProviderAccount
from payments.models.payment import Payment


class Dispute(models.Model):
    """A payer asks the bank for the money of a payment back. Work for support until the wallet says who has won; the
    answer, with its evidence, is given in the wallet's own site.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        WON = "won", _("won")
        LOST = "lost", _("lost")

    public_id = models.CharField(max_length=40, unique=True, default=partial(ids.public_id, "dp"), editable=False)
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="disputes")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.OPEN)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    provider_ref = models.CharField(_("provider reference"), max_length=200)
    code = models.CharField(max_length=80, blank=True)  # the provider's word for the reason
    words = models.CharField(max_length=300, blank=True)  # until when it wants an answer
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        constraints = [
            models.UniqueConstraint(fields=["account", "provider_ref"], name="dispute_once"),
            models.CheckConstraint(
                condition=Q(status="open", closed_at__isnull=True) | (~Q(status="open") & Q(closed_at__isnull=False)),
                name="dispute_closed_has_time",
            ),
        ]
        indexes = [models.Index(fields=["id"], name="dispute_open", condition=Q(status="open"))]

    def __str__(self) -> str:
        return self.public_id
