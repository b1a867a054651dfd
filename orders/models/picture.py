"""Pictures of goods, fetched from a shop's own site and redrawn small."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from friendpay.kit import ids
from friendpay.kit.models import Row
from orders.models.merchant import Merchant


class Picture(Row):
    """What one address of a shop's shows, fetched once for all its orders.

    `pending` until it is fetched; then `ready`, or `refused` (it is no picture we take), or `failed` (its server did
    not give it). `reason` says why not, or why not yet.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        READY = "ready", _("ready")
        REFUSED = "refused", _("refused")
        FAILED = "failed", _("failed")

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="pictures", db_index=False)
    url = models.CharField(max_length=500)
    name = models.CharField(max_length=40, unique=True, default=ids.token, editable=False)  # in our own address
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    reason = models.CharField(max_length=20, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "url"], name="picture_once"),
            models.CheckConstraint(
                condition=Q(status="pending", next_attempt_at__isnull=False)
                | ~Q(status="pending") & Q(next_attempt_at__isnull=True),
                name="picture_due_while_pending",
            ),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="picture_due", condition=Q(next_attempt_at__isnull=False)),
            models.Index(fields=["created_at"], name="picture_by_age"),
        ]

    def __str__(self) -> str:
        return self.url

    @property
    def path(self) -> str:
        """Where it is on this site; "" while there is nothing to show."""
        return path_of(self.name) if self.status == self.Status.READY else ""


def path_of(name: str) -> str:
    return f"/pictures/{name}.webp"


class PictureFile(Row):
    """The redrawn picture, apart from the row that pages read."""

    picture = models.OneToOneField(Picture, on_delete=models.CASCADE, primary_key=True, related_name="file")
    content = models.BinaryField()

    def __str__(self) -> str:
        return str(self.picture_id)
