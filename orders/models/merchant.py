"""The shop, and the keys it calls us with."""

import hashlib
import secrets
from functools import partial

from django.db import models
from django.utils.translation import gettext_lazy as _

from friendpay import clock, ids


class Merchant(models.Model):
    """A shop. Every hot row carries its merchant, so that lists need no join."""

    public_id = models.CharField(max_length=40, unique=True, default=partial(ids.public_id, "mer"), editable=False)
    name = models.CharField(_("name"), max_length=80)
    contact = models.CharField(
        _("contact"), max_length=120, help_text=_("Shown to every payer: an e-mail address or a phone number.")
    )
    is_verified = models.BooleanField(
        _("verified"), default=False, help_text=_("Set by the operator after checking the shop; never by the shop.")
    )
    is_frozen = models.BooleanField(
        _("frozen"), default=False, help_text=_("Nothing new can be asked for or paid; refunds and checks go on.")
    )
    accent = models.CharField(_("accent colour"), max_length=7, blank=True, help_text=_("Like #0b7a4b."))
    return_origins = models.JSONField(
        _("return origins"),
        default=list,
        blank=True,
        help_text=_("Where a buyer may be sent back to, each as scheme and host: https://shop.example."),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)
        verbose_name = _("shop")
        verbose_name_plural = _("shops")

    def __str__(self) -> str:
        return self.name


class ApiKey(models.Model):
    """A secret key of a merchant. Only its SHA-256 is kept; the key itself is shown once, when it is made."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(_("name"), max_length=60, blank=True)
    live = models.BooleanField(_("live"), default=False)
    start = models.CharField(max_length=16, editable=False)  # enough to recognise a key by, too little to guess it
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

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
    def make(cls, merchant: Merchant, *, live: bool = False, name: str = "", key: str = "") -> tuple["ApiKey", str]:
        """A new key and its secret, which is never to be had again. `key` fixes the secret (the demo does)."""
        key = key or f"sk_{'live' if live else 'test'}_{secrets.token_urlsafe(24)}"
        row = cls.objects.create(merchant=merchant, live=live, name=name, start=key[:12], digest=cls.digest_of(key))
        return row, key

    def revoke(self) -> None:
        """The key opens nothing any more. Repeating it keeps the first time."""
        ApiKey.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=clock.now())
