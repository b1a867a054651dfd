"""What the desk keeps for itself: who sees to a case, and what waits for a second person."""

from datetime import datetime
from functools import partial
from typing import Self

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from friendpay.kit import ids
from friendpay.kit.models import Row
from orders.models import Merchant, Order


class Assignment(Row):
    """Somebody of staff sees to an order and all that was asked and paid for it. One at a time."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+")
    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="assignment")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="assignments")
    assigned_at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        permissions = [
            ("work_case", "Can note something on a case, assign it, ask its wallets and send its mails again")
        ]

    def __str__(self) -> str:
        return f"{self.order} {self.user}"


class ProposalQuerySet(models.QuerySet["Proposal"]):
    def waiting(self, now: datetime) -> Self:
        """Those a second person can still decide on."""
        return self.filter(decided_at=None, expires_at__gt=now)


class Proposal(Row):
    """Money that somebody of staff would move, and that another person has to confirm: the desk's form as it was filled
    in. Who decides is never who proposed it; it is done once, or not at all.
    """

    class Outcome(models.TextChoices):
        CONFIRMED = "confirmed", _("confirmed")
        DECLINED = "declined", _("declined")
        EXPIRED = "expired", _("expired")

    public_id = models.CharField(max_length=40, unique=True, default=partial(ids.public_id, "pp"), editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="+", verbose_name=_("shop"))
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="+", null=True)
    kind = models.ForeignKey(ContentType, on_delete=models.PROTECT, related_name="+")
    thing_id = models.BigIntegerField()
    act = models.CharField(max_length=40)  # its name on the page of that kind
    form = models.TextField()  # as it was sent
    what = models.CharField(_("what"), max_length=300)
    why = models.CharField(_("reason"), max_length=300, blank=True)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True)
    decided_at = models.DateTimeField(null=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, blank=True)

    objects = ProposalQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name = _("proposal")
        verbose_name_plural = _("proposals")
        permissions = [("decide_proposal", "Can confirm or decline what somebody else proposed")]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "thing_id", "act"], condition=Q(decided_at=None), name="proposed_once"
            ),
            models.CheckConstraint(
                condition=Q(decided_at=None, outcome="", decided_by=None)
                | (
                    Q(decided_at__isnull=False)
                    & ~Q(outcome="")
                    & (Q(outcome="expired", decided_by=None) | (~Q(outcome="expired") & Q(decided_by__isnull=False)))
                ),
                name="proposal_decided_with_outcome",
            ),
            models.CheckConstraint(
                condition=~Q(outcome="confirmed") | ~Q(decided_by=F("proposed_by")), name="proposal_needs_two"
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="proposal_waiting", condition=Q(decided_at=None))]

    def __str__(self) -> str:
        return self.what
