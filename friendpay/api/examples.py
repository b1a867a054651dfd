"""What bodies of the API look like: shown in its description, and checked against its schemas by a test."""

from typing import Any

_LINE = {"name": "Spring oolong, 100 g", "quantity": 2, "unit_amount": 4500, "category": "tea"}
_WEIGHED = {"name": "Dried plums", "quantity": "0.5", "unit": "kg", "amount": 1500, "category": "fruit"}
_ADJUSTMENTS: list[dict[str, Any]] = [
    {"kind": "discount", "name": "10% with WELCOME", "amount": -1050},
    {"kind": "shipping", "name": "Shipping", "amount": 600},
    {"kind": "tax", "name": "VAT 13%", "amount": 1156, "included": True},
]
_BUYER = {"id": "customer-17", "name": "Lin"}

_ORDER = "ord_5kqH2ZDXv8m3PtYw7RbNcJ4s"
_REQUEST = "pr_Xw9dTn4Kc2VbQ7mZs5HyRf8j"
_PAYMENT = "pay_b8RzMv3XkN6tWq2YdJ7hPcGs"
_REFUND = "re_Q4nYsV7cKx2BmTz9RwHdJ6pf"
_EVENT = "evt_Jd7sQz2XcVn5RtKb8WyHm3Pf"
_ENDPOINT = "we_Vn5RtKb8WyHm3PfJd7sQz2Xc"
_PAIRING = "pair_3PfJd7sQz2XcVn5RtKb8WyHm"
_TOKEN = "t7KtaW9ezGFPNM7Etpx4rNtS"

_REFUNDED: dict[str, Any] = {
    "id": _REFUND,
    "order": _ORDER,
    "order_reference": "A-1001",
    "payment_request": _REQUEST,
    "payment": _PAYMENT,
    "status": "requested",
    "reason": "merchant",
    "external": False,
    "note": "One tin was broken.",
    "currency": "CNY",
    "amount": 1500,
    "reference": "fp81d4e6a9c2b7f05d3e6a1b4c",
    "merchant_reference": "RETURN-7",
    "failure_code": "",
    "created_at": "2026-05-04T09:30:00Z",
    "succeeded_at": None,
    "closed_at": None,
    "returned_how": "",
}

_PAID: dict[str, Any] = {
    "id": _PAYMENT,
    "order": _ORDER,
    "order_reference": "A-1001",
    "payment_request": _REQUEST,
    "status": "succeeded",
    "method": "wechatpay",
    "currency": "CNY",
    "amount": 9000,
    "amount_captured": 9000,
    "amount_applied": 9000,
    "amount_disputed": 0,
    "payer_name": "Mei",
    "by_buyer": False,
    "share": None,
    "reference": "fp3f9c2a7d1b4e8f60a5c7d2e1",
    "provider_reference": "4200002026050412345678",
    "failure_code": "",
    "created_at": "2026-05-03T18:21:07Z",
    "succeeded_at": "2026-05-03T18:21:39Z",
    "refunds": [],
}

_LISTENER: dict[str, Any] = {
    "id": _ENDPOINT,
    "url": "https://shop.example/webhooks",
    "description": "",
    "events": ["order.paid", "order.refunded"],
    "live": False,
    "enabled": True,
    "disabled_at": None,
    "disabled_reason": "",
    "failing_since": None,
    "previous_secret_ends_at": None,
    "created_at": "2026-05-03T18:00:00Z",
}

BODIES: dict[str, dict[str, Any]] = {
    "OrderIn": {
        "reference": "A-1001",
        "currency": "CNY",
        "lines": [_LINE, _WEIGHED],
        "adjustments": _ADJUSTMENTS,
        "amount": 10050,
        "metadata": {"cart": "17"},
        "buyer": _BUYER,
    },
    "PaidElsewhereIn": {"note": "By bank transfer, 4 May."},
    "LinesIn": {"lines": [_LINE]},
    "OffersIn": {
        "currency": "CNY",
        "amount": 9000,
        "lines": [_LINE],
        "buyer": {"id": "customer-17"},
        "locale": "zh-CN",
    },
    "PaymentRequestIn": {"message": "My card is empty, please!", "expires_in": 86400},
    "ExtendIn": {"expires_in": 86400},
    "RefundIn": {"amount": 1500, "reason": "One tin was broken.", "merchant_reference": "RETURN-7"},
    "EndpointIn": {"url": "https://shop.example/webhooks", "events": ["order.paid", "order.refunded"]},
    "EndpointChangeIn": {"url": "https://shop.example/webhooks/2", "enabled": True},
    "RotateIn": {"overlap": 3600},
    "OrderOut": {
        "id": _ORDER,
        "reference": "A-1001",
        "live": False,
        "status": "awaiting_payment",
        "currency": "CNY",
        "amount": 9000,
        "amount_paid": 0,
        "amount_refunded": 0,
        "metadata": {"cart": "17"},
        "paid_elsewhere": False,
        "paid_elsewhere_note": "",
        "lines": [{**_LINE, "unit": "", "amount": 9000, "quantity_returned": 0, "image_url": "", "image": None}],
        "adjustments": [],
        "buyer": _BUYER,
        "checkout_url": "https://pay.example/checkout/mZs5HyRf8jXw9dTn4Kc2VbQ7/",
        "return_url": "",
        "locale": "",
        "created_at": "2026-05-03T18:20:11Z",
        "expires_at": None,
        "paid_at": None,
        "cancelled_at": None,
        "expired_at": None,
    },
    "PaymentRequestOut": {
        "id": _REQUEST,
        "order": _ORDER,
        "order_reference": "A-1001",
        "status": "paid",
        "currency": "CNY",
        "amount": 9000,
        "amount_paid": 9000,
        "amount_held": 0,
        "metadata": {},
        "message": "My card is empty, please!",
        "split": None,
        "url": f"https://pay.example/p/{_TOKEN}/",
        "code": "7K3M-9QXW",
        "qr_url": f"https://pay.example/p/{_TOKEN}/qr.svg",
        "share_text": f"Lin asks: could you pay CN¥90.00 at Harbour Tea for me? https://pay.example/p/{_TOKEN}/",
        "created_at": "2026-05-03T18:20:15Z",
        "expires_at": "2026-05-04T18:20:15Z",
        "paid_at": "2026-05-03T18:21:39Z",
        "closed_at": None,
        "payments": [_PAID],
    },
    "PaymentOut": _PAID,
    "RefundOut": _REFUNDED,
    "RefundsOut": {"amount": 1500, "refunds": [_REFUNDED]},
    "EventOut": {
        "id": _EVENT,
        "sequence": 48213,
        "type": "payment_request.paid",
        "live": False,
        "created_at": "2026-05-03T18:21:39Z",
        "actor": "system",
        "object": _REQUEST,
        "order": _ORDER,
        "payment_request": _REQUEST,
        "data": {
            "id": _REQUEST,
            "order": _ORDER,
            "order_reference": "A-1001",
            "status": "paid",
            "currency": "CNY",
            "amount": 9000,
            "amount_paid": 9000,
            "amount_held": 0,
            "metadata": {},
            "created_at": "2026-05-03T18:20:15Z",
            "expires_at": "2026-05-04T18:20:15Z",
            "paid_at": "2026-05-03T18:21:39Z",
            "closed_at": None,
        },
    },
    "EndpointOut": _LISTENER,
    "EndpointSecretOut": _LISTENER | {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="},
    "DeliveryOut": {
        "id": "wd_KQ7mZs5HyRf8jXw9dTn4Kc2V",
        "endpoint": _ENDPOINT,
        "event": _EVENT,
        "event_type": "payment_request.paid",
        "status": "pending",
        "next_attempt_at": "2026-05-03T18:21:45Z",
        "delivered_at": None,
        "created_at": "2026-05-03T18:21:39Z",
        "attempts": [
            {
                "at": "2026-05-03T18:21:40Z",
                "status_code": 503,
                "milliseconds": 214,
                "error": "",
                "answer": "Down for maintenance.",
            }
        ],
    },
}
BODIES["OffersOut"] = {
    "shown": [
        {"method": "friend", "label": "Ask a friend", "provider": "", "rail": ""},
        {"method": "wechatpay", "label": "WeChat Pay", "provider": "wechatpay", "rail": "native"},
    ],
    "withheld": [
        {
            "method": "card",
            "provider": "stripe",
            "reason": "amount_below_minimum",
            "detail": "It is for orders from CN¥100.00.",
        }
    ],
}
BODIES["PairingIn"] = {
    "app": "friendpay for WooCommerce",
    "site": "https://shop.example",
    "webhook_url": "https://shop.example/friendpay/webhooks",
    "return_url": "https://shop.example/admin/payments",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "scopes": ["read", "write", "refund"],
    "events": ["order.paid", "order.refunded"],
}
BODIES["PairingOut"] = {
    "id": _PAIRING,
    "url": f"https://pay.example/admin/pairings/{_PAIRING}/",
    "expires_at": "2026-05-03T18:30:00Z",
}
BODIES["RedeemIn"] = {
    "code": "t7KtaW9ezGFPNM7Etpx4rNtSmZs5HyRf",
    "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
}
BODIES["PairedOut"] = {
    "key": "sk_test_Kb8WyHm3PfJd7sQz2XcVn5RtKb8WyHm3",
    "live": False,
    "scopes": ["read", "write", "refund"],
    "shop": "mer_Kb8WyHm3PfJd7sQz2XcVn5Rt",
    "shop_name": "Harbour Tea",
    "origins": ["https://shop.example"],
    "webhook_endpoint": BODIES["EndpointSecretOut"],
}
BODIES["AccountOut"] = {
    "shop": {
        "id": "mer_Kb8WyHm3PfJd7sQz2XcVn5Rt",
        "name": "Harbour Tea",
        "contact": "help@harbourtea.example",
        "verified": True,
        "frozen": False,
        "request_life": 86400,
        "return_origins": ["https://shop.example"],
        "embed_origins": ["https://shop.example"],
    },
    "live": False,
    "key": {
        "name": "The shop's server",
        "start": "sk_test_Kb8W",
        "can_read": True,
        "can_write": True,
        "can_refund": True,
        "created_at": "2026-05-03T18:00:00Z",
        "expires_at": None,
    },
    "currencies": ["CNY"],
    "methods": [
        {
            "method": "wechatpay",
            "label": "WeChat Pay",
            "provider": "wechatpay",
            "enabled": True,
            "currencies": ["CNY"],
        }
    ],
    "limits": {
        "calls_per_second": 100,
        "amount_most": 1000000000000,
        "expires_in_least": 60,
        "expires_in_most": 2592000,
        "payers_most": 50,
        "webhook_endpoints_most": 16,
        "idempotency_hours": 24,
    },
}
BODIES["NewOrderOut"] = BODIES["OrderOut"] | {"payment_request": BODIES["PaymentRequestOut"]}
BODIES["HandoverIn"] = {
    "carrier": "SF Express",
    "tracking_number": "SF1234567890123",
    "delivered_at": "2026-05-05T10:12:00Z",
    "note": "Handed over at the door.",
}
BODIES["HandoverOut"] = {"order": _ORDER, **BODIES["HandoverIn"], "told_at": "2026-05-05T11:00:00Z"}
