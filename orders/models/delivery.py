"""Delivery notes: what the shop says of how an order was handed over, for staff and for the evidence of a dispute."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from friendpay.kit.models import Row
from orders.models.order import Order


class DeliveryNote(Row):
    """The latest word of the shop; a newer one takes its place. It changes nothing about the order."""

    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="delivery_note")
    carrier = models.CharField(_("carrier"), max_length=60, blank=True)
    tracking_number = models.CharField(_("tracking number"), max_length=64, blank=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=500, blank=True)
    told_at = models.DateTimeField()

    class Meta:
        verbose_name = _("delivery note")
        verbose_name_plural = _("delivery notes")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.carrier} {self.tracking_number}".strip() or self.note
