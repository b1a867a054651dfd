"""API schemas of the shop itself: its account, and what it could offer."""

from datetime import datetime
from typing import Annotated, Self

from django.conf import settings
from pydantic import BaseModel, Field

from friendpay.kit import limits
from friendpay.kit.money import EXPONENT
from orders.api import hints
from orders.api.fields import FILLED_LINE, Minor, Taken
from orders.api.line_schemas import Adjustments, Lines
from orders.api.schemas import Currency
from orders.models import ApiKey, Merchant
from payments.models import ProviderAccount
from payments.offers import weighing
from payments.offers.rollout import Case
from payments.wallets import registry
from payments.wallets.base import Method


class AskerIn(Taken):
    id: Annotated[str, Field(max_length=64, pattern=FILLED_LINE, description="Your own id of the customer.")]
    name: hints.Name | None = Field(
        default=None, description="Taken so that the order's own `buyer` can be sent; it decides nothing."
    )


class OffersIn(Taken):
    """An order that there may never be. `amount`, or lines and adjustments to add up, or both: then `amount` counts."""

    currency: Currency
    amount: Minor | None = None
    lines: Lines | None = Field(default=None, description="Their categories decide which methods are withheld.")
    adjustments: Adjustments | None = None
    buyer: AskerIn | None = Field(default=None, description="Without one, nobody is within a share of buyers.")
    locale: hints.Locale | None = Field(default=None, description="The buyer's language: labels and reasons are in it.")

    def case(self, shop: Merchant, *, live: bool) -> Case:
        return Case.imagined(
            shop,
            live=live,
            buyer=self.buyer.id if self.buyer else "",
            currency=self.currency,
            amount=self.amount,
            lines=[line.draft() for line in self.lines or ()],
            adjustments=[it.draft() for it in self.adjustments or ()],
        )


class ShopOut(BaseModel):
    id: str
    name: str
    contact: Annotated[str, Field(description="What payers read.")]
    verified: Annotated[bool, Field(description="The operator has checked the shop.")]
    frozen: Annotated[bool, Field(description="Nothing new can be asked for or paid; refunds go on.")]
    request_life: Annotated[int, Field(description="Seconds a request lives where nothing else is said.")]
    return_origins: Annotated[list[str], Field(description="Where a buyer may be sent back to.")]
    embed_origins: Annotated[list[str], Field(description="Whose pages may show the buyer's request in place.")]


class MethodOut(BaseModel):
    method: Annotated[str, Field(examples=["wechatpay"])]
    label: str
    provider: str
    enabled: Annotated[bool, Field(description="false: the support desk has switched the account off.")]
    currencies: Annotated[list[str] | None, Field(description="Those it takes; null: every one.")]


class LimitsOut(BaseModel):
    calls_per_second: Annotated[int, Field(description="Of this key, on average.")]
    amount_most: Annotated[int, Field(description="The largest amount, in any currency's minor unit.")]
    expires_in_least: int
    expires_in_most: int
    payers_most: Annotated[int, Field(description="Friends who may share one request.")]
    webhook_endpoints_most: int
    idempotency_hours: Annotated[int, Field(description="How long an answer is kept for a repeated call.")]


class KeyOut(BaseModel):
    name: str
    start: Annotated[str, Field(description="To recognise it by.")]
    can_read: bool
    can_write: bool
    can_refund: bool
    created_at: datetime
    expires_at: Annotated[datetime | None, Field(description="Set when it was rolled: another key takes its place.")]


class AccountOut(BaseModel):
    """Whose key this is, and what can be done with it."""

    shop: ShopOut
    live: Annotated[bool, Field(description="Whether money is real.")]
    key: KeyOut
    currencies: Annotated[list[str], Field(description="Those that at least one enabled method takes.")]
    methods: list[MethodOut]
    limits: LimitsOut

    @classmethod
    def of(cls, key: ApiKey, accounts: list[ProviderAccount]) -> Self:
        shop = key.merchant
        methods = [
            _method(account, method)
            for account in accounts
            for method in registry.get(account.provider).methods
            if not method.by_choice or method.name in account.granted
        ]
        taken = (EXPONENT if it.currencies is None else it.currencies for it in methods if it.enabled)
        return cls(
            shop=ShopOut(
                id=shop.public_id,
                name=shop.name,
                contact=shop.contact,
                verified=shop.is_verified,
                frozen=shop.is_frozen,
                request_life=int(shop.request_life.total_seconds()),
                return_origins=shop.return_origins,
                embed_origins=shop.embed_origins,
            ),
            live=key.live,
            key=KeyOut(
                name=key.name,
                start=key.start,
                can_read=key.can_read,
                can_write=key.can_write,
                can_refund=key.can_refund,
                created_at=key.created_at,
                expires_at=key.expires_at,
            ),
            currencies=sorted(set().union(*taken)),
            methods=methods,
            limits=LimitsOut(
                calls_per_second=settings.API_CALLS_PER_SECOND,
                amount_most=limits.MAX_MINOR,
                expires_in_least=int(limits.LIFE_SHORTEST.total_seconds()),
                expires_in_most=int(limits.LIFE_LONGEST.total_seconds()),
                payers_most=limits.PAYERS_OF_A_REQUEST,
                webhook_endpoints_most=limits.WEBHOOK_ENDPOINTS,
                idempotency_hours=limits.IDEMPOTENCY_HOURS,
            ),
        )


def _method(account: ProviderAccount, method: Method) -> MethodOut:
    return MethodOut(
        method=method.name,
        label=weighing.label(method.name, account),
        provider=account.provider,
        enabled=account.enabled,
        currencies=None if method.currencies is None else sorted(method.currencies),
    )
