"""The access log: who of staff looked at personal data, and when."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from friendpay.kit.models import Row
from orders.models.merchant import Merchant


class Access(Row):
    """One look at what may name a person: a page of the desk, an export, an evidence pack. Written by `access.note`
    alone, in the same answer, and kept for ACCESS_LOG_DAYS. It names rows, never people.
    """

    class Kind(models.TextChoices):
        PAGE = "page", _("page")
        EXPORT = "export", _("export")
        EVIDENCE = "evidence", _("evidence pack")
        PERSON = "person", _("a person's data exported")
        ERASED = "erased", _("a person's data erased")

    at = models.DateTimeField(_("time"))
    who = models.CharField(_("who"), max_length=150)
    kind = models.CharField(_("what"), max_length=10, choices=Kind)
    about = models.CharField(_("about"), max_length=200)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    merchant = models.ForeignKey(
        Merchant, null=True, on_delete=models.CASCADE, related_name="+", verbose_name=_("shop")
    )

    class Meta:
        ordering = ("-id",)
        verbose_name = _("access to personal data")
        verbose_name_plural = _("access to personal data")
        default_permissions = ("view",)
        permissions = [("erase_person", "Can export and erase a person's data")]
        indexes = [
            models.Index(fields=["at"], name="access_by_age"),
            models.Index(fields=["who", "-id"], name="access_by_who"),
        ]

    def __str__(self) -> str:
        return f"{self.who}: {self.kind} {self.about}"
