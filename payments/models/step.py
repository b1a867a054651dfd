"""Funnel steps: asking and paying, counted for the friction meter."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from friendpay.kit.models import Row
from orders.models import Merchant
from payments.models.request import PaymentRequest


class Step(Row):
    """When a request that was shared first came so far. Of people it says nothing: no name, no address, no visitor."""

    class Kind(models.TextChoices):
        """In the order in which they are gone."""

        HELP_TAPPED = "help_tapped", _("tapped “Ask a friend”")
        REQUEST_CREATED = "request_created", _("request ready to send")
        SHARE_INVOKED = "share_invoked", _("shared")
        HUMAN_OPEN = "human_open", _("opened by a person")
        METHOD_CHOSEN = "method_chosen", _("wallet chosen")
        PAY_STARTED = "pay_started", _("wallet opened")
        PROVIDER_PAID = "provider_paid", _("paid at the wallet")
        BUYER_SAW_PAID = "buyer_saw_paid", _("the buyer saw it")

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+", verbose_name=_("shop"))
    request = models.ForeignKey(PaymentRequest, on_delete=models.CASCADE, related_name="steps", db_index=False)
    kind = models.CharField(max_length=20, choices=Kind)
    method = models.CharField(max_length=20, blank=True)
    surface = models.CharField(max_length=20, blank=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("friction meter")
        verbose_name_plural = _("friction meter")
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["request", "kind"], name="step_once")]
        indexes = [models.Index(fields=["at"], name="step_by_time")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.request_id}"
