"""Rollout rules: which buyers and which goods get a way to pay."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from friendpay.kit.models import Row
from orders.models import Merchant


class RolloutRule(Row):
    """What must hold for a buyer's order to get a method; where a shop has several rules for one, all must agree.

    A method without rules is open to everybody. An empty list or bound asks for nothing. `share` counts hundredths of a
    percent.
    """

    WHOLE = 10_000

    merchant = models.ForeignKey(
        Merchant, verbose_name=_("shop"), on_delete=models.CASCADE, related_name="rollout_rules"
    )
    method = models.CharField(_("method"), max_length=20)
    note = models.CharField(
        _("note"), max_length=120, blank=True, help_text=_("For colleagues: why there is this rule.")
    )
    share = models.PositiveSmallIntegerField(_("share of buyers"), default=WHOLE)
    allowed_buyers = models.JSONField(_("buyers who always get it"), default=list, blank=True)
    denied_buyers = models.JSONField(_("buyers who never get it"), default=list, blank=True)
    excluded_categories = models.JSONField(_("excluded categories"), default=list, blank=True)
    currencies = models.JSONField(_("currencies"), default=list, blank=True)
    amount_currency = models.CharField(_("currency of the amounts"), max_length=3, blank=True)
    amount_min = models.BigIntegerField(_("smallest amount"), null=True, blank=True)
    amount_max = models.BigIntegerField(_("largest amount"), null=True, blank=True)
    starts_at = models.DateTimeField(_("from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    screens = models.JSONField(_("screens"), default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("id",)
        verbose_name = _("rollout rule")
        verbose_name_plural = _("rollout rules")
        constraints = [
            models.CheckConstraint(condition=Q(share__lte=10_000), name="rollout_share_within_whole"),
            models.CheckConstraint(
                condition=~Q(amount_currency="") | Q(amount_min=None, amount_max=None),
                name="rollout_amounts_have_currency",
            ),
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                name="rollout_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.share / 100:g}%"
