"""Orders and their lines."""

from datetime import datetime
from functools import partial

from django.contrib.postgres.indexes import BrinIndex, GinIndex, OpClass
from django.db import models
from django.db.models import Case, F, Q, When
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from friendpay.kit import ids, quantities
from friendpay.kit.models import Row
from friendpay.kit.money import Money
from orders.models.adjustment import Adjustment, well_formed
from orders.models.merchant import Merchant
from orders.models.picture import Picture


class Order(Row):
    """A basket a shop wants paid. Amounts are minor units of `currency`; `amount` is the sum of its lines and of its
    adjustments.

    `amount_paid` is what friendpay took for it and what stayed applied; `amount_refunded` is what the merchant sent
    back of that, once a provider confirmed it. `paid_elsewhere` says that the shop was paid by other means.
    `expires_at` is until when it may be asked for (null: for ever); unpaid by then, it is expired, and keeps nothing.
    """

    class Status(models.TextChoices):
        AWAITING_PAYMENT = "awaiting_payment", _("awaiting payment")
        PAID = "paid", _("paid")
        CANCELLED = "cancelled", _("cancelled")
        EXPIRED = "expired", _("expired")

    public_id = models.CharField(max_length=40, unique=True, default=partial(ids.public_id, "ord"), editable=False)
    token = models.CharField(max_length=40, unique=True, default=ids.token, editable=False)  # the buyer's page
    merchant = models.ForeignKey(
        Merchant, on_delete=models.PROTECT, related_name="orders", verbose_name=_("shop"), db_index=False
    )
    live = models.BooleanField(_("live"), default=False)
    reference = models.CharField(_("reference"), max_length=64)
    status = models.CharField(_("status"), max_length=20, choices=Status, default=Status.AWAITING_PAYMENT)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    adjustments = models.JSONField(default=list, blank=True)
    metadata = models.JSONField(default=dict, blank=True)  # the shop's own
    amount_paid = models.BigIntegerField(default=0)
    amount_refunded = models.BigIntegerField(default=0)
    paid_elsewhere = models.BooleanField(default=False)
    paid_elsewhere_note = models.CharField(max_length=200, blank=True)  # the shop's own words
    buyer_id = models.CharField(_("buyer's id at the shop"), max_length=64, blank=True)
    buyer_name = models.CharField(_("buyer"), max_length=60)
    locale = models.CharField(max_length=10, blank=True)
    return_url = models.CharField(_("address to return to"), max_length=500, blank=True)
    created_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    expired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [
            models.UniqueConstraint(
                "merchant",
                "live",
                "reference",
                Case(When(status__in=["cancelled", "expired"], then=None), default=True),  # such a one frees it
                name="order_reference_once",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="order_amount_positive"),
            models.CheckConstraint(condition=well_formed("adjustments"), name="order_adjustments_well_formed"),
            models.CheckConstraint(
                condition=Q(amount_paid__gte=0, amount_paid__lte=F("amount")), name="order_paid_within_amount"
            ),
            models.CheckConstraint(
                condition=Q(amount_refunded__gte=0, amount_refunded__lte=F("amount_paid")),
                name="order_refunded_within_paid",
            ),
            models.CheckConstraint(
                condition=Q(status="paid", paid_at__isnull=False)
                & (Q(paid_elsewhere=True) | Q(amount_paid=F("amount")))
                | (~Q(status="paid") & Q(paid_at__isnull=True)),
                name="order_paid_exactly_when_settled",
            ),
            models.CheckConstraint(
                condition=Q(status="cancelled", cancelled_at__isnull=False)
                | (~Q(status="cancelled") & Q(cancelled_at__isnull=True)),
                name="order_cancelled_has_time",
            ),
            models.CheckConstraint(
                condition=Q(status="cancelled", amount_paid=0) | ~Q(status="cancelled"),
                name="order_cancelled_keeps_nothing",
            ),
            models.CheckConstraint(
                condition=Q(status="expired", expired_at__isnull=False, expires_at__isnull=False, amount_paid=0)
                | (~Q(status="expired") & Q(expired_at__isnull=True)),
                name="order_expired_keeps_nothing",
            ),
            models.CheckConstraint(
                condition=Q(paid_elsewhere=False) | Q(status="paid", amount_paid=0),
                name="order_paid_once",
            ),
            models.CheckConstraint(
                condition=Q(paid_elsewhere=True) | Q(paid_elsewhere_note=""), name="order_note_of_paid_elsewhere"
            ),
        ]
        indexes = [
            models.Index(fields=["merchant", "live", "-id"], name="order_by_merchant"),
            models.Index(fields=["merchant", "buyer_id", "-id"], name="order_by_buyer", condition=~Q(buyer_id="")),
            BrinIndex(fields=["created_at"], name="order_by_time", autosummarize=True),
            GinIndex(
                fields=["metadata"], opclasses=["jsonb_path_ops"], name="order_by_metadata", condition=~Q(metadata={})
            ),
            models.Index(
                fields=["expires_at"],
                name="order_due",
                condition=Q(status="awaiting_payment", expires_at__isnull=False),
            ),
            # What the desk searches by: how a text begins.
            models.Index(OpClass(Upper("reference"), "text_pattern_ops"), name="order_by_spelled_reference"),
            models.Index(OpClass(Upper("buyer_name"), "text_pattern_ops"), name="order_by_buyer_name"),
            models.Index(OpClass(Upper("buyer_id"), "text_pattern_ops"), name="order_by_buyer_id"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def total(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def adjusted(self) -> tuple[Adjustment, ...]:
        """Its adjustments, in the shop's order."""
        return Adjustment.kept(self.adjustments)

    def keep_lines(self, lines: "list[OrderLine]") -> None:
        """What was just written as its lines need not be read."""
        rows = self.lines.all()
        rows._result_cache = lines
        self._prefetched_objects_cache = {"lines": rows}

    def is_over(self, now: datetime) -> bool:
        """Whether its time is over: nobody can begin anything on it any more, ended or not."""
        return self.expires_at is not None and self.expires_at <= now


class OrderLine(Row):
    """One kind of goods in an order. `amount` is for all of it; `unit_amount` is None where the shop gave that alone,
    as it does for "3 for 10.00" and for what is weighed. `quantity_returned` was refunded by line.
    """

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    name = models.CharField(max_length=120)
    quantity = models.DecimalField(max_digits=13, decimal_places=6)
    unit = models.CharField(max_length=16, blank=True)
    unit_amount = models.BigIntegerField(null=True, blank=True)
    amount = models.BigIntegerField()
    quantity_returned = models.DecimalField(max_digits=13, decimal_places=6, default=0)
    category = models.CharField(max_length=60, blank=True)
    image_url = models.CharField(max_length=500, blank=True)
    # Null where `image_url` is empty or on this site, and once the picture is forgotten.
    picture = models.ForeignKey(Picture, null=True, on_delete=models.SET_NULL, related_name="lines", db_index=False)

    class Meta:
        ordering = ("id",)
        indexes = [models.Index(fields=["picture"], name="line_by_picture", condition=Q(picture__isnull=False))]
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="line_quantity_positive"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="line_amount_not_negative"),
            models.CheckConstraint(
                condition=Q(unit_amount__isnull=True) | Q(amount=F("quantity") * F("unit_amount")),
                name="line_amount_is_of_its_units",
            ),
            models.CheckConstraint(
                condition=Q(quantity_returned__gte=0, quantity_returned__lte=F("quantity")),
                name="line_returned_within_quantity",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} × {quantities.number(self.quantity)}"
