"""Provider accounts: a merchant's credentials at a wallet, encrypted."""

from datetime import datetime
from functools import partial
from typing import Self

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from friendpay.kit import ids, limits, vault
from friendpay.kit.models import Row
from orders.models import Merchant, Order
from payments.wallets import registry
from payments.wallets.base import Account, ProviderError


class ProviderAccountQuerySet(models.QuerySet["ProviderAccount"]):
    def taking(self, order: Order) -> Self:
        """Those that may take an order's money: its shop's, of its mode, switched on, and of a wallet there is."""
        return self.filter(merchant_id=order.merchant_id, live=order.live, enabled=True, provider__in=registry.NAMES)


class ProviderAccount(Row):
    """An account at a wallet. Credentials are encrypted at rest; test and live accounts never mix."""

    public_id = models.CharField(max_length=40, unique=True, default=partial(ids.public_id, "acc"), editable=False)
    merchant = models.ForeignKey(
        Merchant, on_delete=models.PROTECT, related_name="provider_accounts", verbose_name=_("shop")
    )
    provider = models.CharField(_("provider"), max_length=20)
    name = models.CharField(_("name"), max_length=60, blank=True)
    live = models.BooleanField(_("live"), default=False)
    enabled = models.BooleanField(_("enabled"), default=True)
    base_url = models.CharField(
        _("gateway"), max_length=200, blank=True, help_text=_("Empty for the provider's own gateway.")
    )
    granted = models.JSONField(_("granted"), default=list, blank=True)
    sealed = models.TextField(editable=False, default="", blank=True)
    refused_notifications = models.BigIntegerField(_("refused notifications"), default=0, editable=False)
    hangs = models.PositiveIntegerField(default=0, editable=False)  # calls in a row that had no answer
    paused_until = models.DateTimeField(null=True, blank=True, editable=False)  # see payments/settlement/calls.py
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProviderAccountQuerySet.as_manager()

    probing = False  # whether this object may make the one call that tries a paused account

    class Meta:
        ordering = ("id",)
        verbose_name = _("provider account")
        verbose_name_plural = _("provider accounts")
        constraints = [
            models.CheckConstraint(condition=~models.Q(provider="sandbox", live=True), name="sandbox_is_never_live")
        ]

    def __str__(self) -> str:
        return self.name or f"{self.provider} {self.public_id}"

    @property
    def config(self) -> dict[str, str]:
        return vault.unseal(self.sealed)

    @config.setter
    def config(self, values: dict[str, str]) -> None:
        self.sealed = vault.seal(values)

    @property
    def gateway(self) -> str:
        """The server that is called, as far as we know it: many accounts share one."""
        return f"{self.provider} {self.base_url}"

    @property
    def may_have_gateway(self) -> bool:
        """Whether calls go to an address that the account names: a stand-in's for tests, or the shop's own."""
        return not self.live or registry.get(self.provider).run_by_shop

    @property
    def notify_url(self) -> str:
        """Where the provider sends its notifications."""
        return f"{settings.PUBLIC_URL}/notify/{self.provider}/{self.public_id}/"

    @property
    def is_simulated(self) -> bool:
        """Whether a stand-in answers for the wallet. The sandbox wallet is none: its name says what it is."""
        return not self.live and bool(self.base_url) and self.provider != "sandbox"

    @property
    def is_installed(self) -> bool:
        """Whether the package of its wallet is there. Without it, nothing is offered, and all its refunds wait."""
        return self.provider in registry.NAMES

    @property
    def is_locked(self) -> bool:
        """Whether credentials are there that no key of ours opens any more."""
        try:
            self.as_data()
        except ProviderError:
            return True
        return False

    def ends_soon(self, now: datetime) -> datetime | None:
        """When the account's certificates end, if that is within 30 days or past."""
        if self.is_locked:
            return None
        ends = registry.get(self.provider).ends_at(self.as_data())
        return ends if ends and ends <= now + limits.CREDENTIALS_WARNED_BEFORE else None

    def as_data(self) -> Account:
        """What a provider is given. A live account speaks to the wallet's own gateway alone, which is the shop's where
        the shop runs it.

        Raises ProviderError, not a permanent one, while no key of ours opens the credentials.
        """
        try:
            config = self.config
        except InvalidToken:
            words = "the stored credentials cannot be read with the present keys"
            raise ProviderError(words, permanent=False, code="credentials", for_shop=True) from None
        return Account(
            id=self.public_id,
            live=self.live,
            config=config,
            base_url=self.base_url if self.may_have_gateway else "",
            notify_url=self.notify_url,
            granted=frozenset(self.granted),
        )
