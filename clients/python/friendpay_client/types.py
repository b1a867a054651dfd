"""The objects of friendpay's API. Written from its description by tests/clients/build.py."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class Account(TypedDict):
    """Whose key this is, and what can be done with it."""

    shop: Shop
    live: bool
    key: Key
    currencies: list[str]
    methods: list[Method]
    limits: Limits


class AdjustmentData(TypedDict):
    """What an order's sum has beside its lines."""

    kind: Literal["shipping", "tax", "discount", "fee", "credit", "rounding"]
    name: str
    amount: int
    included: bool


class AdjustmentIn(TypedDict):
    """What the sum has beside the lines."""

    kind: Literal["shipping", "tax", "discount", "fee", "credit", "rounding"]
    name: str
    included: NotRequired[bool | None]
    amount: int


class ApiCall(TypedDict):
    """A call that was let in. Texts that may be secret, or about somebody, are not kept."""

    id: str
    key: str
    live: bool
    at: str
    method: str
    path: str
    query: dict[str, Any]
    body: str
    status: int
    code: str
    answer: str
    milliseconds: int
    agent: str


class AskerIn(TypedDict):
    """AskerIn of the API."""

    id: str
    name: NotRequired[str | None]


class Attempt(TypedDict):
    """One call, and what came of it."""

    at: str
    status_code: int | None
    milliseconds: int
    error: str
    answer: str


class BuyerIn(TypedDict):
    """BuyerIn of the API."""

    id: str
    name: str


class Buyer(TypedDict):
    """Buyer of the API."""

    id: str
    name: str


class DeclinedData(TypedDict):
    """A request, and what a friend said about it."""

    id: str
    order: str
    order_reference: str
    status: Literal["open", "paid", "expired", "cancelled"]
    currency: str
    amount: int
    amount_paid: int
    amount_held: int
    metadata: dict[str, Any]
    created_at: str
    expires_at: str
    paid_at: str | None
    closed_at: str | None
    words: str
    choice: str
    name: str


class Delivery(TypedDict):
    """The telling of one event to one endpoint."""

    id: str
    endpoint: str
    event: str
    event_type: str
    status: Literal["pending", "delivered", "given_up"]
    next_attempt_at: str | None
    delivered_at: str | None
    created_at: str
    attempts: list[Attempt]


class DisputeData(TypedDict):
    """A payment, and what the wallet says of a dispute about it."""

    id: str
    order: str
    order_reference: str
    payment_request: str
    status: Literal["created", "pending", "succeeded", "failed", "cancelled"]
    method: str
    currency: str
    amount: int
    amount_captured: int
    amount_applied: int
    amount_disputed: int
    payer_name: str
    by_buyer: bool
    share: int | None
    reference: str
    provider_reference: str
    failure_code: str
    created_at: str
    succeeded_at: str | None
    dispute: str
    dispute_status: Literal["inquiry", "open", "won", "lost"]
    disputed: int
    dispute_currency: str
    dispute_reason: str


class EndpointChangeIn(TypedDict):
    """What is left out, or null, stays as it is."""

    url: NotRequired[str | None]
    description: NotRequired[str | None]
    events: NotRequired[
        list[
            Literal[
                "order.cancelled",
                "order.changed",
                "order.created",
                "order.expired",
                "order.paid",
                "order.refund_reopened",
                "order.refunded",
                "order.reopened",
                "payment.adopted",
                "payment.cancelled",
                "payment.created",
                "payment.dispute_lost",
                "payment.dispute_won",
                "payment.disputed",
                "payment.extended",
                "payment.failed",
                "payment.released",
                "payment.succeeded",
                "payment_request.cancelled",
                "payment_request.changed",
                "payment_request.considered",
                "payment_request.created",
                "payment_request.declined",
                "payment_request.expired",
                "payment_request.extended",
                "payment_request.opened",
                "payment_request.paid",
                "payment_request.reported",
                "payment_request.shared",
                "payment_request.thanked",
                "refund.external",
                "refund.failed",
                "refund.renumbered",
                "refund.requested",
                "refund.returned_elsewhere",
                "refund.submitted",
                "refund.succeeded",
                "refund.withdrawn",
                "webhook_endpoint.pinged",
            ]
        ]
        | None
    ]
    enabled: NotRequired[bool | None]


class EndpointData(TypedDict):
    """A webhook endpoint that was pinged. Its address is left out: it may hold a secret of the shop's."""

    id: str
    live: bool
    description: str
    events: list[str]


class EndpointIn(TypedDict):
    """EndpointIn of the API."""

    url: str
    description: NotRequired[str | None]
    events: NotRequired[
        list[
            Literal[
                "order.cancelled",
                "order.changed",
                "order.created",
                "order.expired",
                "order.paid",
                "order.refund_reopened",
                "order.refunded",
                "order.reopened",
                "payment.adopted",
                "payment.cancelled",
                "payment.created",
                "payment.dispute_lost",
                "payment.dispute_won",
                "payment.disputed",
                "payment.extended",
                "payment.failed",
                "payment.released",
                "payment.succeeded",
                "payment_request.cancelled",
                "payment_request.changed",
                "payment_request.considered",
                "payment_request.created",
                "payment_request.declined",
                "payment_request.expired",
                "payment_request.extended",
                "payment_request.opened",
                "payment_request.paid",
                "payment_request.reported",
                "payment_request.shared",
                "payment_request.thanked",
                "refund.external",
                "refund.failed",
                "refund.renumbered",
                "refund.requested",
                "refund.returned_elsewhere",
                "refund.submitted",
                "refund.succeeded",
                "refund.withdrawn",
                "webhook_endpoint.pinged",
            ]
        ]
        | None
    ]


class Endpoint(TypedDict):
    """An address that is told what happens."""

    id: str
    url: str
    description: str
    events: list[str]
    live: bool
    enabled: bool
    disabled_at: str | None
    disabled_reason: str
    failing_since: str | None
    previous_secret_ends_at: str | None
    created_at: str


class EndpointSecret(TypedDict):
    """An endpoint with its new secret, which is never shown again."""

    id: str
    url: str
    description: str
    events: list[str]
    live: bool
    enabled: bool
    disabled_at: str | None
    disabled_reason: str
    failing_since: str | None
    previous_secret_ends_at: str | None
    created_at: str
    secret: str


class Event(TypedDict):
    """One thing that happened."""

    id: str
    sequence: int
    type: str
    live: bool
    created_at: str
    actor: str
    object: str
    order: str | None
    payment_request: str | None
    data: dict[str, Any]


class ExtendIn(TypedDict):
    """ExtendIn of the API."""

    expires_in: int


class HandoverIn(TypedDict):
    """HandoverIn of the API."""

    carrier: NotRequired[str]
    tracking_number: NotRequired[str]
    delivered_at: NotRequired[str | None]
    note: NotRequired[str]


class Handover(TypedDict):
    """Handover of the API."""

    order: str
    carrier: str
    tracking_number: str
    delivered_at: str | None
    note: str
    told_at: str


class Image(TypedDict):
    """What became of the picture at `image_url`."""

    status: Literal["pending", "ready", "refused", "failed", "forgotten"]
    reason: str
    url: str


class Key(TypedDict):
    """Key of the API."""

    name: str
    start: str
    can_read: bool
    can_write: bool
    can_refund: bool
    created_at: str
    expires_at: str | None


class Limits(TypedDict):
    """Limits of the API."""

    calls_per_second: int
    amount_most: int
    expires_in_least: int
    expires_in_most: int
    payers_most: int
    webhook_endpoints_most: int
    idempotency_hours: int


class LineIn(TypedDict):
    """One kind of goods, with the price of each (`unit_amount`) or of all of it (`amount`)."""

    name: str
    quantity: int | str
    unit: NotRequired[str | None]
    amount: NotRequired[int | None]
    unit_amount: NotRequired[int | None]
    category: NotRequired[str | None]
    image_url: NotRequired[str | None]


class Line(TypedDict):
    """Line of the API."""

    name: str
    quantity: int | str
    unit: str
    unit_amount: int | None
    amount: int
    quantity_returned: int | str
    category: str
    image_url: str
    image: Image | None


class LinesIn(TypedDict):
    """What is bought, and what it costs."""

    lines: list[LineIn]
    adjustments: NotRequired[list[AdjustmentIn] | None]
    amount: NotRequired[int | None]


class Method(TypedDict):
    """Method of the API."""

    method: str
    label: str
    provider: str
    enabled: bool
    currencies: list[str] | None


class NewOrder(TypedDict):
    """A new order; with `payment_request` where one was asked for with it, and as any order where not."""

    id: str
    reference: str
    live: bool
    status: Literal["awaiting_payment", "paid", "cancelled", "expired"]
    currency: str
    amount: int
    adjustments: list[AdjustmentData]
    amount_paid: int
    amount_refunded: int
    metadata: dict[str, Any]
    paid_elsewhere: bool
    paid_elsewhere_note: str
    created_at: str
    expires_at: str | None
    paid_at: str | None
    cancelled_at: str | None
    expired_at: str | None
    lines: list[Line]
    buyer: Buyer
    checkout_url: str
    return_url: str
    locale: str
    payment_request: NotRequired[PaymentRequest]


class OffersIn(TypedDict):
    """An order that there may never be. `amount`, or lines and adjustments to add up, or both: then `amount` counts."""

    currency: str
    amount: NotRequired[int | None]
    lines: NotRequired[list[LineIn] | None]
    adjustments: NotRequired[list[AdjustmentIn] | None]
    buyer: NotRequired[AskerIn | None]
    locale: NotRequired[str | None]


class Offers(TypedDict):
    """The ways to pay that the page shows, and why it does not show the others. For you and your support alone."""

    shown: list[Shown]
    withheld: list[Withheld]


class OrderData(TypedDict):
    """An order as it stood then."""

    id: str
    reference: str
    live: bool
    status: Literal["awaiting_payment", "paid", "cancelled", "expired"]
    currency: str
    amount: int
    adjustments: list[AdjustmentData]
    amount_paid: int
    amount_refunded: int
    metadata: dict[str, Any]
    paid_elsewhere: bool
    paid_elsewhere_note: str
    created_at: str
    expires_at: str | None
    paid_at: str | None
    cancelled_at: str | None
    expired_at: str | None


class OrderIn(TypedDict):
    """OrderIn of the API."""

    lines: list[LineIn]
    adjustments: NotRequired[list[AdjustmentIn] | None]
    amount: NotRequired[int | None]
    reference: str
    currency: str
    buyer: BuyerIn
    metadata: NotRequired[dict[str, Any] | None]
    return_url: NotRequired[str | None]
    locale: NotRequired[str | None]
    expires_in: NotRequired[int | None]
    payment_request: NotRequired[PaymentRequestIn | None]


class Order(TypedDict):
    """An order: what is bought, and how much of it is paid."""

    id: str
    reference: str
    live: bool
    status: Literal["awaiting_payment", "paid", "cancelled", "expired"]
    currency: str
    amount: int
    adjustments: list[AdjustmentData]
    amount_paid: int
    amount_refunded: int
    metadata: dict[str, Any]
    paid_elsewhere: bool
    paid_elsewhere_note: str
    created_at: str
    expires_at: str | None
    paid_at: str | None
    cancelled_at: str | None
    expired_at: str | None
    lines: list[Line]
    buyer: Buyer
    checkout_url: str
    return_url: str
    locale: str


class OrderRefundData(TypedDict):
    """An order, and the refund by which its `amount_refunded` changed."""

    id: str
    reference: str
    live: bool
    status: Literal["awaiting_payment", "paid", "cancelled", "expired"]
    currency: str
    amount: int
    adjustments: list[AdjustmentData]
    amount_paid: int
    amount_refunded: int
    metadata: dict[str, Any]
    paid_elsewhere: bool
    paid_elsewhere_note: str
    created_at: str
    expires_at: str | None
    paid_at: str | None
    cancelled_at: str | None
    expired_at: str | None
    refund: str
    refund_amount: int


Outcome = Literal[
    "opened",
    "declined",
    "begun",
    "abandoned",
    "twice",
    "late",
    "expired",
    "thanked",
    "paid",
    "refused",
    "untold",
    "disputed",
    "dispute_won",
    "dispute_lost",
    "refund_refused",
    "refund_slow",
    "refunded_by_hand",
]


class PaidElsewhereIn(TypedDict):
    """PaidElsewhereIn of the API."""

    note: NotRequired[str | None]


class Paired(TypedDict):
    """What was granted. Keep `key` and the endpoint's `secret`: they are shown here and nowhere else."""

    key: str
    live: bool
    scopes: list[str]
    shop: str
    shop_name: str
    origins: list[str]
    webhook_endpoint: EndpointSecret


class PairingIn(TypedDict):
    """PairingIn of the API."""

    app: str
    site: str
    webhook_url: str
    return_url: str
    code_challenge: str
    live: NotRequired[bool]
    scopes: NotRequired[list[Literal["read", "write", "refund"]]]
    origins: NotRequired[list[str]]
    events: NotRequired[
        list[
            Literal[
                "order.cancelled",
                "order.changed",
                "order.created",
                "order.expired",
                "order.paid",
                "order.refund_reopened",
                "order.refunded",
                "order.reopened",
                "payment.adopted",
                "payment.cancelled",
                "payment.created",
                "payment.dispute_lost",
                "payment.dispute_won",
                "payment.disputed",
                "payment.extended",
                "payment.failed",
                "payment.released",
                "payment.succeeded",
                "payment_request.cancelled",
                "payment_request.changed",
                "payment_request.considered",
                "payment_request.created",
                "payment_request.declined",
                "payment_request.expired",
                "payment_request.extended",
                "payment_request.opened",
                "payment_request.paid",
                "payment_request.reported",
                "payment_request.shared",
                "payment_request.thanked",
                "refund.external",
                "refund.failed",
                "refund.renumbered",
                "refund.requested",
                "refund.returned_elsewhere",
                "refund.submitted",
                "refund.succeeded",
                "refund.withdrawn",
                "webhook_endpoint.pinged",
            ]
        ]
    ]


class Pairing(TypedDict):
    """What somebody of the shop is asked to consent to."""

    id: str
    url: str
    expires_at: str


class PaymentData(TypedDict):
    """A payment as it stood then."""

    id: str
    order: str
    order_reference: str
    payment_request: str
    status: Literal["created", "pending", "succeeded", "failed", "cancelled"]
    method: str
    currency: str
    amount: int
    amount_captured: int
    amount_applied: int
    amount_disputed: int
    payer_name: str
    by_buyer: bool
    share: int | None
    reference: str
    provider_reference: str
    failure_code: str
    created_at: str
    succeeded_at: str | None


class Payment(TypedDict):
    """One payer's attempt. What was captured but not applied went back by itself."""

    id: str
    order: str
    order_reference: str
    payment_request: str
    status: Literal["created", "pending", "succeeded", "failed", "cancelled"]
    method: str
    currency: str
    amount: int
    amount_captured: int
    amount_applied: int
    amount_disputed: int
    payer_name: str
    by_buyer: bool
    share: int | None
    reference: str
    provider_reference: str
    failure_code: str
    created_at: str
    succeeded_at: str | None
    refunds: list[Refund]


class PaymentRequestIn(TypedDict):
    """PaymentRequestIn of the API."""

    message: NotRequired[str | None]
    expires_in: NotRequired[int | None]
    split: NotRequired[SplitIn | None]
    metadata: NotRequired[dict[str, Any] | None]


class PaymentRequest(TypedDict):
    """The payment_request to pay one order. `url`, `code` and `qr_url` are the friend's; `share_text` carries them."""

    id: str
    order: str
    order_reference: str
    status: Literal["open", "paid", "expired", "cancelled"]
    currency: str
    amount: int
    amount_paid: int
    amount_held: int
    metadata: dict[str, Any]
    created_at: str
    expires_at: str
    paid_at: str | None
    closed_at: str | None
    message: str
    split: Split | None
    url: str
    code: str
    qr_url: str
    share_text: str
    payments: list[Payment]


class Problem(TypedDict):
    """RFC 9457 problem details. `code` is for programs and stays the same; `detail` is for people."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    instance: NotRequired[str]
    errors: NotRequired[list[dict[str, Any]]]


class RedeemIn(TypedDict):
    """RedeemIn of the API."""

    code: str
    code_verifier: str


class RefundData(TypedDict):
    """A refund as it stood then."""

    id: str
    order: str
    order_reference: str
    payment_request: str
    payment: str
    status: Literal["requested", "submitted", "succeeded", "failed", "withdrawn", "returned_elsewhere"]
    reason: Literal["merchant", "late", "duplicate", "surplus", "underfunded", "mismatch"]
    external: bool
    note: str
    currency: str
    amount: int
    reference: str
    merchant_reference: str
    failure_code: str
    created_at: str
    succeeded_at: str | None
    closed_at: str | None
    returned_how: str


class RefundIn(TypedDict):
    """RefundIn of the API."""

    amount: NotRequired[int | None]
    lines: NotRequired[list[RefundedLineIn] | None]
    reason: NotRequired[str | None]
    merchant_reference: NotRequired[str | None]


class Refund(TypedDict):
    """Money on its way back to its payer, or there already."""

    id: str
    order: str
    order_reference: str
    payment_request: str
    payment: str
    status: Literal["requested", "submitted", "succeeded", "failed", "withdrawn", "returned_elsewhere"]
    reason: Literal["merchant", "late", "duplicate", "surplus", "underfunded", "mismatch"]
    external: bool
    note: str
    currency: str
    amount: int
    reference: str
    merchant_reference: str
    failure_code: str
    created_at: str
    succeeded_at: str | None
    closed_at: str | None
    returned_how: str


class RefundedLineIn(TypedDict):
    """So much of a line goes back."""

    line: int
    quantity: NotRequired[int | str | None]


class Refunds(TypedDict):
    """What goes back, to each who paid."""

    amount: int
    refunds: list[Refund]


class ReportedData(TypedDict):
    """A request that somebody reported, and its buyer, who cannot ask friends until support decides."""

    id: str
    order: str
    order_reference: str
    status: Literal["open", "paid", "expired", "cancelled"]
    currency: str
    amount: int
    amount_paid: int
    amount_held: int
    metadata: dict[str, Any]
    created_at: str
    expires_at: str
    paid_at: str | None
    closed_at: str | None
    buyer_id: str
    reports: int


class RequestData(TypedDict):
    """A payment request as it stood then."""

    id: str
    order: str
    order_reference: str
    status: Literal["open", "paid", "expired", "cancelled"]
    currency: str
    amount: int
    amount_paid: int
    amount_held: int
    metadata: dict[str, Any]
    created_at: str
    expires_at: str
    paid_at: str | None
    closed_at: str | None


class RotateIn(TypedDict):
    """RotateIn of the API."""

    overlap: NotRequired[int | None]


Screen = Literal["desktop", "phone", "wechatpay", "alipay", "other_app"]


class ShareIn(TypedDict):
    """What one person is to pay: all of it, once."""

    name: str
    amount: int


class Share(TypedDict):
    """One person's share, with the link on which it alone is paid."""

    name: str
    amount: int
    url: str
    paid: bool


class Shop(TypedDict):
    """Shop of the API."""

    id: str
    name: str
    contact: str
    verified: bool
    frozen: bool
    request_life: int
    return_origins: list[str]
    embed_origins: list[str]


class Shown(TypedDict):
    """Shown of the API."""

    method: str
    label: str
    provider: str
    rail: str


class SimulateIn(TypedDict):
    """SimulateIn of the API."""

    outcome: NotRequired[Outcome | None]
    amount: NotRequired[int | None]
    payer_name: NotRequired[str | None]


class SplitIn(TypedDict):
    """SplitIn of the API."""

    shares: NotRequired[list[ShareIn] | None]
    max_payers: NotRequired[int | None]
    min_amount: NotRequired[int | None]


class Split(TypedDict):
    """Split of the API."""

    max_payers: int
    min_amount: int
    shares: list[Share]


class ThankedData(TypedDict):
    """A request, and what the buyer said about it."""

    id: str
    order: str
    order_reference: str
    status: Literal["open", "paid", "expired", "cancelled"]
    currency: str
    amount: int
    amount_paid: int
    amount_held: int
    metadata: dict[str, Any]
    created_at: str
    expires_at: str
    paid_at: str | None
    closed_at: str | None
    words: str
    choice: str


class Withheld(TypedDict):
    """Withheld of the API."""

    method: str
    provider: str
    reason: str
    detail: str


EventType = Literal[
    "order.cancelled",
    "order.changed",
    "order.created",
    "order.expired",
    "order.paid",
    "order.refund_reopened",
    "order.refunded",
    "order.reopened",
    "payment.adopted",
    "payment.cancelled",
    "payment.created",
    "payment.dispute_lost",
    "payment.dispute_won",
    "payment.disputed",
    "payment.extended",
    "payment.failed",
    "payment.released",
    "payment.succeeded",
    "payment_request.cancelled",
    "payment_request.changed",
    "payment_request.considered",
    "payment_request.created",
    "payment_request.declined",
    "payment_request.expired",
    "payment_request.extended",
    "payment_request.opened",
    "payment_request.paid",
    "payment_request.reported",
    "payment_request.shared",
    "payment_request.thanked",
    "refund.external",
    "refund.failed",
    "refund.renumbered",
    "refund.requested",
    "refund.returned_elsewhere",
    "refund.submitted",
    "refund.succeeded",
    "refund.withdrawn",
    "webhook_endpoint.pinged",
]


class WebhookMessage(Event):
    """What a webhook carries: the event, with the fields that Standard Webhooks wants."""

    timestamp: str
