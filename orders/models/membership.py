"""Memberships: which logins of staff work for which shop."""

from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from friendpay.kit.models import Row
from orders.models.merchant import Merchant


class MembershipQuerySet(models.QuerySet["Membership"]):
    def alive(self) -> "MembershipQuerySet":
        return self.filter(ended_at=None)


class Membership(Row):
    """Somebody of a shop's staff, who sees this shop at the desk. It is ended, never deleted."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("login"))
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="members", verbose_name=_("shop"))
    added_at = models.DateTimeField(_("since"))
    added_by = models.CharField(_("added by"), max_length=80)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_by = models.CharField(_("ended by"), max_length=80, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name = _("person of a shop")
        verbose_name_plural = _("people of shops")
        constraints = [
            models.UniqueConstraint(fields=["user", "merchant"], condition=Q(ended_at=None), name="member_once")
        ]

    def __str__(self) -> str:
        return self.user.get_username()
