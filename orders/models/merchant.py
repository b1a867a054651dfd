"""Merchants (shops), their API keys and their logo."""

import hashlib
import secrets
from datetime import timedelta
from functools import partial
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from friendpay.kit import clock, ids, limits
from friendpay.kit.models import Row

MINUTE = timedelta(minutes=1)


class Merchant(Row):
    """A shop. Every hot row carries its merchant, so that lists need no join."""

    public_id = models.CharField(max_length=40, unique=True, default=partial(ids.public_id, "mer"), editable=False)
    name = models.CharField(_("name"), max_length=80)
    contact = models.CharField(
        _("contact"), max_length=120, help_text=_("Shown to every payer: an e-mail address or a phone number.")
    )
    technical_email = models.EmailField(
        _("technical e-mail"),
        blank=True,
        help_text=_("Told when webhooks are switched off; never shown. Without it, the contact is."),
    )
    is_verified = models.BooleanField(
        _("verified"), default=False, help_text=_("Set by the operator after checking the shop; never by the shop.")
    )
    legal_name = models.CharField(
        _("legal name"), max_length=160, blank=True, help_text=_("As it stands in the register; shown to payers.")
    )
    site = models.URLField(_("website"), max_length=200, blank=True, help_text=_("Shown to payers."))
    verified_on = models.DateField(_("verified on"), null=True, blank=True)
    is_frozen = models.BooleanField(
        _("frozen"), default=False, help_text=_("Nothing new can be asked for or paid; refunds and checks go on.")
    )
    request_minutes = models.PositiveIntegerField(
        _("life of a request, in minutes"),
        default=24 * 60,
        validators=[
            MinValueValidator(limits.LIFE_SHORTEST // MINUTE),
            MaxValueValidator(limits.LIFE_LONGEST // MINUTE),
        ],
        help_text=_("How long a friend may pay where neither the order nor the call says so: 1440 is a day."),
    )
    accent = models.CharField(_("accent colour"), max_length=7, blank=True, help_text=_("Like #0b7a4b."))
    logo = models.CharField(max_length=20, blank=True, editable=False)  # the name of its picture, below
    return_origins = models.JSONField(
        _("return origins"),
        default=list,
        blank=True,
        help_text=_("Where a buyer may be sent back to, each as scheme and host: https://shop.example."),
    )
    embed_origins = models.JSONField(
        _("embed origins"),
        default=list,
        blank=True,
        help_text=_(
            "Whose pages may show the buyer's request in place, each as scheme and host: https://shop.example."
        ),
    )
    # Whether it ever had a webhook endpoint: events of a shop that had none need not look for one.
    has_webhooks = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)
        verbose_name = _("shop")
        verbose_name_plural = _("shops")
        permissions = [
            ("see_all_shops", "Can see all shops, where others see those they work for"),
            ("verify_merchant", "Can verify a shop, and change what was checked"),
            ("freeze_merchant", "Can freeze a shop"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    request_minutes__gte=limits.LIFE_SHORTEST // MINUTE,
                    request_minutes__lte=limits.LIFE_LONGEST // MINUTE,
                ),
                name="merchant_request_life",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def request_life(self) -> timedelta:
        return self.request_minutes * MINUTE


class Logo(Row):
    """A shop's picture, apart from the shop's row, which every page reads. Written by `branding.change_logo` alone."""

    merchant = models.OneToOneField(Merchant, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=20, unique=True)
    picture = models.BinaryField()

    def __str__(self) -> str:
        return self.name


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def alive(self) -> Self:
        """Neither revoked nor past their time, as the database's clock tells it."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=Now()), revoked_at=None)


class ApiKey(Row):
    """A secret key of a merchant. Only its SHA-256 is kept; the key itself is shown once, when it is made."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="api_keys", verbose_name=_("shop"))
    name = models.CharField(_("name"), max_length=60, blank=True)
    live = models.BooleanField(_("live"), default=False)
    start = models.CharField(max_length=16, editable=False)  # enough to recognise a key by, too little to guess it
    digest = models.CharField(max_length=64, unique=True, editable=False)
    can_read = models.BooleanField(_("may read"), default=True)
    can_write = models.BooleanField(_("may write"), default=True)
    can_refund = models.BooleanField(_("may refund"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"{self.start}…"

    @staticmethod
    def digest_of(key: str) -> str:
        """A key is 190 random bits, so a plain hash is as good as a slow one, and looked up by index."""
        return hashlib.sha256(key.encode()).hexdigest()

    @classmethod
    def make(
        cls, merchant: Merchant, *, live: bool = False, name: str = "", key: str = "", **rights: bool
    ) -> tuple["ApiKey", str]:
        """A new key and its secret, which is never to be had again. `key` fixes the secret (the demo does).

        `rights` are can_read, can_write and can_refund; what is not named is allowed.
        """
        key = key or f"sk_{'live' if live else 'test'}_{settings.CELL}{secrets.token_urlsafe(24)}"
        digest = cls.digest_of(key)
        row = cls.objects.create(merchant=merchant, live=live, name=name, start=key[:12], digest=digest, **rights)
        return row, key

    @transaction.atomic
    def roll(self, overlap: timedelta) -> tuple["ApiKey", str]:
        """A key of the same rights, and its secret; this one works for `overlap` more, never longer than it would."""
        ends = clock.now() + overlap
        self.expires_at = min(self.expires_at or ends, ends)
        self.save(update_fields=["expires_at"])
        return ApiKey.make(
            self.merchant,
            live=self.live,
            name=self.name,
            can_read=self.can_read,
            can_write=self.can_write,
            can_refund=self.can_refund,
        )

    def revoke(self) -> None:
        """The key opens nothing any more. Repeating it keeps the first time."""
        ApiKey.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=clock.now())
