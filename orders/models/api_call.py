"""The request log: the latest calls of each API key."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from friendpay.kit.models import Row
from orders.models.merchant import ApiKey, Merchant


class ApiCall(Row):
    """A call that was let in, as its developer may read it: without secrets, and without texts about people.

    Written after the answer, by `request_log` alone; a call may be missing. `public_id` is the answer's Request-Id.
    """

    public_id = models.CharField(_("id"), max_length=40, unique=True)
    merchant = models.ForeignKey(
        Merchant, on_delete=models.CASCADE, related_name="+", verbose_name=_("shop"), db_index=False
    )
    key = models.ForeignKey(
        ApiKey, on_delete=models.CASCADE, related_name="calls", verbose_name=_("API key"), db_index=False
    )
    live = models.BooleanField(_("live"))
    at = models.DateTimeField(_("time"))
    method = models.CharField(_("method"), max_length=10)
    path = models.CharField(_("address"), max_length=200)
    query = models.JSONField(default=dict)
    body = models.TextField(blank=True)
    status = models.PositiveSmallIntegerField(_("status"))
    code = models.CharField(_("code"), max_length=40, blank=True)
    answer = models.TextField(blank=True)
    milliseconds = models.PositiveIntegerField(_("milliseconds"))
    agent = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("API call")
        verbose_name_plural = _("API calls")
        indexes = [
            models.Index(fields=["key", "-id"], name="api_call_by_key"),
            models.Index(fields=["merchant", "live", "-id"], name="api_call_by_shop"),
            models.Index(fields=["at"], name="api_call_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"
