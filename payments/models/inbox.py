"""Provider events: notifications, stored before they are applied."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from friendpay.kit.models import Row
from payments.models.account import ProviderAccount


class ProviderEventQuerySet(models.QuerySet["ProviderEvent"]):
    def due(self, now: datetime) -> Self:
        """Stored, not applied yet, not set aside, and due for a try."""
        return self.filter(next_attempt_at__lte=now)

    def hear_anew(self, account_id: int, now: datetime, *, charge_ref: str, charge: str = "") -> None:
        """What was told of disputes of this money, and what waits of its refunds, is due again: nothing we knew stood
        for it then. The other numbers that a wallet has for it may be missing.
        """
        of_it = Q(charge_ref=charge_ref) & ~Q(charge_ref="") | Q(charge=charge) & ~Q(charge="")
        told = self.filter(of_it, account=account_id, put_away_at=None)
        for due in (told.filter(about="dispute"), told.waiting().filter(about="refund")):
            due.update(applied_at=None, orphaned_at=None, set_aside_at=None, next_attempt_at=now, attempts=0)

    def waiting(self) -> Self:
        """Those that support has to see to."""
        return self.filter(Q(orphaned_at__isnull=False) | Q(set_aside_at__isnull=False))


class ProviderEvent(Row):
    """A verified notification. Unique by `(account, event_id)`: a replay finds its row and changes nothing.

    `applied_at` is set once it took effect. `orphaned_at` marks one that names no payment of ours; `set_aside_at` one
    that could not be applied after several tries. Both wait, visible, for support, who books what they tell of or puts
    them away with a note (`put_away_at`).
    """

    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="events", db_index=False)
    event_id = models.CharField(max_length=128)
    kind = models.CharField(_("kind"), max_length=80)
    about = models.CharField(_("about"), max_length=10)
    reference = models.CharField(_("our reference"), max_length=200, blank=True)
    number = models.CharField(max_length=200, blank=True)  # the provider's own of a refund or dispute, if it is another
    charge = models.CharField(max_length=200, blank=True)  # what a refund or dispute is of: our reference,
    charge_ref = models.CharField(max_length=200, blank=True)  # and the provider's number
    outcome = models.JSONField(null=True, blank=True)  # what it says, as read and verified; null: ask the provider
    asks = models.BooleanField(default=False)  # whether the provider has to be asked before it can be applied
    body = models.BinaryField()
    received_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    applied_at = models.DateTimeField(null=True, blank=True)
    orphaned_at = models.DateTimeField(null=True, blank=True)
    set_aside_at = models.DateTimeField(null=True, blank=True)
    put_away_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    error = models.CharField(_("error"), max_length=300, blank=True)

    objects = ProviderEventQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        permissions = [
            ("read_providerevent", "Can read what a wallet wrote, without secrets"),
            ("retry_providerevent", "Can try a notification again"),
            ("assign_providerevent", "Can book what an orphan tells of, send it back, or put it away"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["account", "event_id"], name="notification_once"),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="notification_due", condition=Q(next_attempt_at__isnull=False)
            ),
            models.Index(
                fields=["id"],
                name="notification_waits_for_support",
                condition=Q(orphaned_at__isnull=False) | Q(set_aside_at__isnull=False),
            ),
            models.Index(fields=["account", "reference"], name="notification_by_reference"),
            models.Index(fields=["account"], name="notification_of_dispute", condition=Q(about="dispute")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"

    @property
    def is_waiting(self) -> bool:
        """Whether support has to see to it."""
        return self.orphaned_at is not None or self.set_aside_at is not None
