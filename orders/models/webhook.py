"""Webhook endpoints, deliveries and attempts."""

from datetime import datetime
from functools import partial
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from friendpay.kit import ids, vault
from friendpay.kit.models import Row
from orders.models.event import Event
from orders.models.merchant import Merchant


class WebhookEndpointQuerySet(models.QuerySet["WebhookEndpoint"]):
    def kept(self) -> Self:
        """Those the merchant has not deleted."""
        return self.filter(deleted_at=None)

    def enabled(self) -> Self:
        """Those that are told what happens."""
        return self.filter(disabled_at=None)


class WebhookEndpoint(Row):
    """An address of a merchant that is told of events: of all, or of the types it names.

    Its secrets are encrypted at rest. After a rotation the earlier one signs too, until `previous_ends_at`.
    `failing_since` is the first failure after the last success. `is_slow` until an answer came quickly, and again when
    one did not: a slow one gets little room beside others. `mail_due_at` is set while a mail about its end is due.
    """

    class Reason(models.TextChoices):
        GONE = "gone", _("it answered that it is gone")
        FAILING = "failing", _("it failed for days")
        SUPPORT = "support", _("switched off by support")
        SHOP = "shop", _("switched off by the shop")
        DELETED = "deleted", _("deleted by the shop")

    public_id = models.CharField(max_length=40, unique=True, default=partial(ids.public_id, "we"), editable=False)
    merchant = models.ForeignKey(
        Merchant, on_delete=models.PROTECT, related_name="webhook_endpoints", verbose_name=_("shop")
    )
    live = models.BooleanField(_("live"), default=False)
    url = models.CharField(_("address"), max_length=500)
    description = models.CharField(_("description"), max_length=120, blank=True)
    event_types = models.JSONField(default=list)
    sealed = models.TextField(editable=False)
    previous_ends_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    is_slow = models.BooleanField(default=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(max_length=10, choices=Reason, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    mail_due_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = WebhookEndpointQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")
        constraints = [
            models.CheckConstraint(
                condition=Q(disabled_at=None, disabled_reason="") | (~Q(disabled_at=None) & ~Q(disabled_reason="")),
                name="endpoint_disabled_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(deleted_at=None) | ~Q(disabled_at=None), name="endpoint_deleted_is_disabled"
            ),
        ]
        indexes = [
            models.Index(fields=["merchant", "live"], name="endpoint_told", condition=Q(disabled_at=None)),
            models.Index(fields=["mail_due_at"], name="endpoint_mail_due", condition=~Q(mail_due_at=None)),
        ]

    def __str__(self) -> str:
        return self.url

    @property
    def enabled(self) -> bool:
        return self.disabled_at is None

    def wants(self, type: str) -> bool:
        """Whether it is told of events of this type."""
        return not self.event_types or type in self.event_types

    def seal(self, secret: str, previous: str = "") -> None:
        """Sign with `secret` from now on, and with `previous` for as long as `previous_ends_at` allows."""
        self.sealed = vault.seal({"secret": secret, "previous": previous})

    def secrets(self, now: datetime) -> list[str]:
        """Those alive, newest first."""
        values = vault.unseal(self.sealed)
        overlaps = self.previous_ends_at is not None and now < self.previous_ends_at
        return [values["secret"], values["previous"]] if overlaps else [values["secret"]]


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def due(self, now: datetime) -> Self:
        """Those of events that have their place in the order already, and whose time has come."""
        return self.filter(next_attempt_at__lte=now, event__sequence__isnull=False)


class WebhookDelivery(Row):
    """The telling of one event to one endpoint. `attempts` counts from the event on, or from when somebody asked for it
    again.

    While it is being sent, `next_attempt_at` is when somebody else may take it over.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("to be delivered")
        DELIVERED = "delivered", _("delivered")
        GIVEN_UP = "given_up", _("given up")

    public_id = models.CharField(
        _("id"), max_length=40, unique=True, default=partial(ids.public_id, "wd"), editable=False
    )
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="+")
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="deliveries")
    status = models.CharField(_("state"), max_length=10, choices=Status, default=Status.PENDING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True, db_default=Now())
    delivered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        permissions = [("redeliver_webhookdelivery", "Can have a webhook delivered again")]
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event"], name="event_told_once_to_each"),
            models.CheckConstraint(
                condition=Q(status="pending", next_attempt_at__isnull=False)
                | (~Q(status="pending") & Q(next_attempt_at__isnull=True)),
                name="delivery_due_while_pending",
            ),
            models.CheckConstraint(
                condition=Q(status="delivered", delivered_at__isnull=False)
                | (~Q(status="delivered") & Q(delivered_at__isnull=True)),
                name="delivery_delivered_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                name="delivery_due",
                condition=Q(next_attempt_at__isnull=False),
            ),
            models.Index(fields=["endpoint", "-id"], name="delivery_by_endpoint"),
            models.Index(fields=["created_at"], name="delivery_by_age"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def is_test(self) -> bool:
        """Whether it tells the endpoint of itself, which somebody asked for in order to see whether that works."""
        return self.event.object_id == self.endpoint.public_id


class WebhookAttempt(Row):
    """One call to an endpoint, and what came of it: a status, or `error`, a word for why there was none."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="calls")
    at = models.DateTimeField()
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    milliseconds = models.PositiveIntegerField()
    error = models.CharField(max_length=20, blank=True)
    answer = models.TextField(blank=True)  # its beginning

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.error or str(self.status_code)
