"""Abuse reports of friends, and the buyers whom support has stopped."""

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from friendpay.kit.models import Row
from orders.models import Merchant
from payments.models.request import PaymentRequest


class ReportQuerySet(models.QuerySet["Report"]):
    def open(self) -> Self:
        """Those that support has not decided on."""
        return self.filter(settled_at=None)


class Report(Row):
    """Somebody who was asked to pay says that something is wrong: work for support, and hidden from everybody else."""

    class Reason(models.TextChoices):
        STRANGER = "stranger", _("I don't know who is asking")
        PRESSED = "pressed", _("I'm being pressured or threatened")
        GOODS = "goods", _("The shop or the goods look suspicious")
        OTHER = "other", _("Something else")

    class Outcome(models.TextChoices):
        NOTHING = "nothing", _("nothing wrong")
        BUYER = "buyer", _("the buyer was stopped")
        SHOP = "shop", _("the shop was frozen")

    request = models.ForeignKey(PaymentRequest, on_delete=models.PROTECT, related_name="reports", db_index=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="reports", verbose_name=_("shop"))
    reason = models.CharField(_("reason"), max_length=20, choices=Reason)
    words = models.CharField(_("in their words"), max_length=500, blank=True)
    network = models.CharField(max_length=64)  # a hash, for limits
    owner = models.CharField(max_length=64, blank=True)  # of all that one owner may have, to tell people apart
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(_("decided"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=20, choices=Outcome, blank=True)

    objects = ReportQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        constraints = [
            models.UniqueConstraint(fields=["request", "network"], name="report_once"),
            models.CheckConstraint(
                condition=models.Q(settled_at=None, outcome="")
                | (models.Q(settled_at__isnull=False) & ~models.Q(outcome="")),
                name="report_decided_with_outcome",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], name="report_open", condition=models.Q(settled_at=None)),
            models.Index(fields=["network", "created_at"], name="report_by_network"),
            models.Index(fields=["merchant"], name="report_open_of_merchant", condition=models.Q(settled_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} {self.created_at:%Y-%m-%d}"


class StoppedBuyer(Row):
    """A buyer of a shop who cannot ask friends. Paying for herself stays possible."""

    merchant = models.ForeignKey(
        Merchant, on_delete=models.PROTECT, related_name="stopped_buyers", verbose_name=_("shop"), db_index=False
    )
    buyer_id = models.CharField(_("buyer's id at the shop"), max_length=64)
    buyer_name = models.CharField(_("buyer"), max_length=60, blank=True)
    stopped_at = models.DateTimeField()
    by = models.CharField(_("stopped by"), max_length=80, blank=True)  # support:NAME, or system

    class Meta:
        ordering = ("-id",)
        verbose_name = _("stopped buyer")
        verbose_name_plural = _("stopped buyers")
        constraints = [models.UniqueConstraint(fields=["merchant", "buyer_id"], name="buyer_stopped_once")]

    def __str__(self) -> str:
        return self.buyer_name or self.buyer_id
