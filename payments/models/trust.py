"""A shop's own numbers for its trust limits."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from friendpay.kit.models import Row
from orders.models import Merchant


class TrustLimit(Row):
    """How much one kind of asker may have open and ask for at a shop; what is null is as usual (`trust_limits`).

    Sums are minor units of `currency`, and hold in other currencies by their rough worth.
    """

    class Subject(models.TextChoices):
        BUYER = "buyer", _("a buyer")
        NEW_BUYER = "new_buyer", _("a buyer who is new")
        NETWORK = "network", _("a network")
        SHOP = "shop", _("a shop that is not verified")
        NEW_SHOP = "new_shop", _("a shop that is new")

    merchant = models.ForeignKey(
        Merchant, verbose_name=_("shop"), on_delete=models.CASCADE, related_name="trust_limits", db_index=False
    )
    subject = models.CharField(_("for"), max_length=20, choices=Subject)
    note = models.CharField(_("note"), max_length=120, blank=True, help_text=_("For colleagues: why."))
    open_count = models.PositiveIntegerField(_("requests open at once"), null=True, blank=True)
    hour_count = models.PositiveIntegerField(_("requests within an hour"), null=True, blank=True)
    day_count = models.PositiveIntegerField(_("requests within a day"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    open_sum = models.BigIntegerField(_("sum open at once"), null=True, blank=True)
    hour_sum = models.BigIntegerField(_("sum within an hour"), null=True, blank=True)
    day_sum = models.BigIntegerField(_("sum within a day"), null=True, blank=True)
    first_sum = models.BigIntegerField(_("sum until a first request was paid"), null=True, blank=True)
    cooling_hours = models.PositiveIntegerField(_("new for so many hours"), null=True, blank=True)

    class Meta:
        ordering = ("merchant", "id")
        verbose_name = _("trust limit")
        verbose_name_plural = _("trust limits")
        constraints = [
            models.UniqueConstraint(fields=["merchant", "subject"], name="trust_limit_once"),
            models.CheckConstraint(
                condition=~Q(currency="") | Q(open_sum=None, hour_sum=None, day_sum=None, first_sum=None),
                name="trust_sums_have_currency",
            ),
        ]

    def __str__(self) -> str:
        return self.get_subject_display()
