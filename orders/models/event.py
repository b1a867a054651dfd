"""Events: audit log, support's timeline and outbox in one table."""

from functools import partial
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from friendpay.kit import ids
from friendpay.kit.models import Row
from orders.models.merchant import Merchant
from orders.models.order import Order


class Event(Row):
    """One thing that happened, named `object.past_participle`, written in the transaction that made it true.

    `sequence` counts a shop's events. It is given at publication, after the commit: ids are handed out before that, so
    that a reader of "id > last" could skip a row for ever. `request` and `seq` are the payment request it belongs to
    and that request's own count.
    """

    public_id = models.CharField(max_length=40, unique=True, default=partial(ids.public_id, "evt"), editable=False)
    merchant = models.ForeignKey(
        Merchant, on_delete=models.PROTECT, related_name="events", verbose_name=_("shop"), db_index=False
    )
    live = models.BooleanField(_("live"), default=False)
    type = models.CharField(_("type"), max_length=60)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="events", null=True, blank=True)
    request = models.CharField(max_length=40, blank=True)
    seq = models.BigIntegerField(_("number within the request"), null=True, blank=True)
    object_id = models.CharField(max_length=40)
    actor = models.CharField(max_length=80)
    data = models.JSONField(_("data"), default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    sequence = models.BigIntegerField(_("number as published"), null=True, blank=True)

    class Meta:
        ordering = ("id",)
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index(fields=["request", "id"], name="event_by_request", condition=~Q(request="")),
            models.Index(fields=["merchant", "live", "sequence"], name="event_by_merchant"),
            models.Index(fields=["merchant", "id"], name="event_unpublished", condition=Q(sequence__isnull=True)),
        ]
        constraints = [models.UniqueConstraint(fields=["merchant", "sequence"], name="event_sequence_once")]

    def __str__(self) -> str:
        return f"{self.type} {self.object_id}"

    def told(self) -> dict[str, Any]:
        """The event as merchants see it, in the list of events and in webhooks alike."""
        return {
            "id": self.public_id,
            "sequence": self.sequence,
            "type": self.type,
            "live": self.live,
            "created_at": self.created_at,
            "actor": self.actor,
            "object": self.object_id,
            "order": self.order.public_id if self.order else None,
            "payment_request": self.request or None,
            "data": self.data,
        }
