"""Pairings: a shop's program asks for a key, an address for webhooks and origins; one person of the shop consents."""

from functools import partial

from django.db import models
from django.utils.translation import gettext_lazy as _

from friendpay.kit import ids
from friendpay.kit.models import Row
from orders.models.merchant import Merchant


class Pairing(Row):
    """What a program asked for, and how far it came. No secret is kept: of the one-time code only its SHA-256, and key
    and webhook secret are made when the code is redeemed.

    `challenge` is the base64url of the SHA-256 of a verifier that the program alone knows (PKCE, RFC 7636).
    """

    public_id = models.CharField(max_length=40, unique=True, default=partial(ids.public_id, "pair"), editable=False)
    app = models.CharField(max_length=60)
    site = models.CharField(max_length=200)
    webhook_url = models.CharField(max_length=500)
    event_types = models.JSONField(default=list)
    origins = models.JSONField(default=list)
    return_url = models.CharField(max_length=500)
    live = models.BooleanField(default=False)
    can_read = models.BooleanField(default=True)
    can_write = models.BooleanField(default=True)
    can_refund = models.BooleanField(default=False)
    challenge = models.CharField(max_length=43)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)  # until then it is consented to, then redeemed
    merchant = models.ForeignKey(Merchant, null=True, on_delete=models.CASCADE, related_name="+")
    confirmed_by = models.CharField(max_length=80, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    code = models.CharField(max_length=64, blank=True)  # its digest
    redeemed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("pairing")
        verbose_name_plural = _("pairings")
        default_permissions = ()

    def __str__(self) -> str:
        return self.public_id
