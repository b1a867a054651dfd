"""A method for each call of the API. Written from its description by tests/clients/build.py."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, Literal, cast

from friendpay_client import types as t


class Operations:
    """Calls as methods; an answer is a dictionary, typed."""

    def _call(
        self, method: str, path: str, query: Any = None, body: Any = None, idempotency_key: str | None = None
    ) -> Any:
        raise NotImplementedError

    def _pages(self, path: str, query: Any) -> Iterator[Any]:
        raise NotImplementedError

    def get_account(self) -> t.Account:
        """See whose key this is"""
        return cast("t.Account", self._call("GET", "/account"))

    def weigh_offers(
        self,
        *,
        currency: str,
        amount: int | None = None,
        lines: list[t.LineIn] | None = None,
        adjustments: list[t.AdjustmentIn] | None = None,
        buyer: t.AskerIn | None = None,
        locale: str | None = None,
        screen: Literal["desktop", "phone", "wechatpay", "alipay", "other_app"] | None = None,
        idempotency_key: str | None = None,
    ) -> t.Offers:
        """See which ways to pay an order would get"""
        return cast(
            "t.Offers",
            self._call(
                "POST",
                "/offers",
                query={"screen": screen},
                body={
                    "currency": currency,
                    "amount": amount,
                    "lines": lines,
                    "adjustments": adjustments,
                    "buyer": buyer,
                    "locale": locale,
                },
                idempotency_key=idempotency_key,
            ),
        )

    def list_orders(
        self,
        *,
        limit: int | None = None,
        after: str | None = None,
        reference: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> Iterator[t.Order]:
        """List orders: all of them, fetched page by page as they are asked for."""
        return self._pages("/orders", {"limit": limit, "after": after, "reference": reference, "metadata": metadata})

    def create_order(
        self,
        *,
        lines: list[t.LineIn],
        reference: str,
        currency: str,
        buyer: t.BuyerIn,
        adjustments: list[t.AdjustmentIn] | None = None,
        amount: int | None = None,
        metadata: dict[str, Any] | None = None,
        return_url: str | None = None,
        locale: str | None = None,
        expires_in: int | None = None,
        payment_request: t.PaymentRequestIn | None = None,
        screen: Literal["desktop", "phone", "wechatpay", "alipay", "other_app"] | None = None,
        idempotency_key: str | None = None,
    ) -> t.NewOrder:
        """Create an order"""
        return cast(
            "t.NewOrder",
            self._call(
                "POST",
                "/orders",
                query={"screen": screen},
                body={
                    "lines": lines,
                    "adjustments": adjustments,
                    "amount": amount,
                    "reference": reference,
                    "currency": currency,
                    "buyer": buyer,
                    "metadata": metadata,
                    "return_url": return_url,
                    "locale": locale,
                    "expires_in": expires_in,
                    "payment_request": payment_request,
                },
                idempotency_key=idempotency_key,
            ),
        )

    def get_order(self, order_id: str) -> t.Order:
        """Get an order"""
        return cast("t.Order", self._call("GET", f"/orders/{order_id}"))

    def list_events(
        self, *, after: str | None = None, limit: int | None = None, latest: bool | None = None
    ) -> Iterator[t.Event]:
        """List events: all of them, fetched page by page as they are asked for."""
        return self._pages("/events", {"after": after, "limit": limit, "latest": latest})

    def change_order_lines(
        self,
        order_id: str,
        *,
        lines: list[t.LineIn],
        adjustments: list[t.AdjustmentIn] | None = None,
        amount: int | None = None,
        idempotency_key: str | None = None,
    ) -> t.Order:
        """Change what is bought"""
        return cast(
            "t.Order",
            self._call(
                "POST",
                f"/orders/{order_id}/lines",
                body={"lines": lines, "adjustments": adjustments, "amount": amount},
                idempotency_key=idempotency_key,
            ),
        )

    def cancel_order(self, order_id: str, *, idempotency_key: str | None = None) -> t.Order:
        """Cancel an order"""
        return cast(
            "t.Order", self._call("POST", f"/orders/{order_id}/cancel", body={}, idempotency_key=idempotency_key)
        )

    def mark_order_paid(self, order_id: str, *, note: str | None = None, idempotency_key: str | None = None) -> t.Order:
        """Say that you were paid elsewhere"""
        return cast(
            "t.Order",
            self._call("POST", f"/orders/{order_id}/mark-paid", body={"note": note}, idempotency_key=idempotency_key),
        )

    def mark_order_unpaid(self, order_id: str, *, idempotency_key: str | None = None) -> t.Order:
        """Take back that you were paid elsewhere"""
        return cast(
            "t.Order", self._call("POST", f"/orders/{order_id}/mark-unpaid", body={}, idempotency_key=idempotency_key)
        )

    def list_order_offers(
        self, order_id: str, *, screen: Literal["desktop", "phone", "wechatpay", "alipay", "other_app"] | None = None
    ) -> t.Offers:
        """See which ways to pay an order gets"""
        return cast("t.Offers", self._call("GET", f"/orders/{order_id}/offers", query={"screen": screen}))

    def create_payment_request(
        self,
        order_id: str,
        *,
        message: str | None = None,
        expires_in: int | None = None,
        split: t.SplitIn | None = None,
        metadata: dict[str, Any] | None = None,
        screen: Literal["desktop", "phone", "wechatpay", "alipay", "other_app"] | None = None,
        idempotency_key: str | None = None,
    ) -> t.PaymentRequest:
        """Ask a friend to pay"""
        return cast(
            "t.PaymentRequest",
            self._call(
                "POST",
                f"/orders/{order_id}/payment-requests",
                query={"screen": screen},
                body={"message": message, "expires_in": expires_in, "split": split, "metadata": metadata},
                idempotency_key=idempotency_key,
            ),
        )

    def list_payment_requests(
        self, order_id: str, *, limit: int | None = None, after: str | None = None
    ) -> Iterator[t.PaymentRequest]:
        """List the payment requests of an order: all of them, fetched page by page as they are asked for."""
        return self._pages(f"/orders/{order_id}/payment-requests", {"limit": limit, "after": after})

    def get_payment_request(self, request_id: str) -> t.PaymentRequest:
        """Get a payment request"""
        return cast("t.PaymentRequest", self._call("GET", f"/payment-requests/{request_id}"))

    def cancel_payment_request(self, request_id: str, *, idempotency_key: str | None = None) -> t.PaymentRequest:
        """Cancel a payment request"""
        return cast(
            "t.PaymentRequest",
            self._call("POST", f"/payment-requests/{request_id}/cancel", body={}, idempotency_key=idempotency_key),
        )

    def extend_payment_request(
        self, request_id: str, *, expires_in: int, idempotency_key: str | None = None
    ) -> t.PaymentRequest:
        """Give a payment request more time"""
        return cast(
            "t.PaymentRequest",
            self._call(
                "POST",
                f"/payment-requests/{request_id}/extend",
                body={"expires_in": expires_in},
                idempotency_key=idempotency_key,
            ),
        )

    def simulate_payment_request(
        self,
        request_id: str,
        *,
        outcome: t.Outcome | None = None,
        amount: int | None = None,
        payer_name: str | None = None,
        idempotency_key: str | None = None,
    ) -> t.PaymentRequest:
        """Simulate what a friend and her wallet do"""
        return cast(
            "t.PaymentRequest",
            self._call(
                "POST",
                f"/payment-requests/{request_id}/simulate",
                body={"outcome": outcome, "amount": amount, "payer_name": payer_name},
                idempotency_key=idempotency_key,
            ),
        )

    def get_payment(self, payment_id: str) -> t.Payment:
        """Get a payment"""
        return cast("t.Payment", self._call("GET", f"/payments/{payment_id}"))

    def refund_payment(
        self,
        payment_id: str,
        *,
        amount: int | None = None,
        lines: list[t.RefundedLineIn] | None = None,
        reason: str | None = None,
        merchant_reference: str | None = None,
        idempotency_key: str | None = None,
    ) -> t.Refund:
        """Refund a payment"""
        return cast(
            "t.Refund",
            self._call(
                "POST",
                f"/payments/{payment_id}/refunds",
                body={"amount": amount, "lines": lines, "reason": reason, "merchant_reference": merchant_reference},
                idempotency_key=idempotency_key,
            ),
        )

    def refund_order(
        self,
        order_id: str,
        *,
        amount: int | None = None,
        lines: list[t.RefundedLineIn] | None = None,
        reason: str | None = None,
        merchant_reference: str | None = None,
        idempotency_key: str | None = None,
    ) -> t.Refunds:
        """Refund an order"""
        return cast(
            "t.Refunds",
            self._call(
                "POST",
                f"/orders/{order_id}/refunds",
                body={"amount": amount, "lines": lines, "reason": reason, "merchant_reference": merchant_reference},
                idempotency_key=idempotency_key,
            ),
        )

    def get_refund(self, refund_id: str) -> t.Refund:
        """Get a refund"""
        return cast("t.Refund", self._call("GET", f"/refunds/{refund_id}"))

    def list_all_payment_requests(
        self,
        *,
        limit: int | None = None,
        after: str | None = None,
        status: Literal["open", "paid", "expired", "cancelled"] | None = None,
        order: str | None = None,
        order_reference: str | None = None,
        buyer: str | None = None,
        created_since: str | None = None,
        created_before: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> Iterator[t.PaymentRequest]:
        """List payment requests: all of them, fetched page by page as they are asked for."""
        return self._pages(
            "/payment-requests",
            {
                "limit": limit,
                "after": after,
                "status": status,
                "order": order,
                "order_reference": order_reference,
                "buyer": buyer,
                "created_since": created_since,
                "created_before": created_before,
                "metadata": metadata,
            },
        )

    def list_payments(
        self,
        *,
        limit: int | None = None,
        after: str | None = None,
        status: Literal["created", "pending", "succeeded", "failed", "cancelled"] | None = None,
        order: str | None = None,
        order_reference: str | None = None,
        buyer: str | None = None,
        provider_reference: str | None = None,
        created_since: str | None = None,
        created_before: str | None = None,
    ) -> Iterator[t.Payment]:
        """List payments: all of them, fetched page by page as they are asked for."""
        return self._pages(
            "/payments",
            {
                "limit": limit,
                "after": after,
                "status": status,
                "order": order,
                "order_reference": order_reference,
                "buyer": buyer,
                "provider_reference": provider_reference,
                "created_since": created_since,
                "created_before": created_before,
            },
        )

    def list_refunds(
        self,
        *,
        limit: int | None = None,
        after: str | None = None,
        status: Literal["requested", "submitted", "succeeded", "failed", "withdrawn", "returned_elsewhere"]
        | None = None,
        order: str | None = None,
        order_reference: str | None = None,
        buyer: str | None = None,
        merchant_reference: str | None = None,
        created_since: str | None = None,
        created_before: str | None = None,
    ) -> Iterator[t.Refund]:
        """List refunds: all of them, fetched page by page as they are asked for."""
        return self._pages(
            "/refunds",
            {
                "limit": limit,
                "after": after,
                "status": status,
                "order": order,
                "order_reference": order_reference,
                "buyer": buyer,
                "merchant_reference": merchant_reference,
                "created_since": created_since,
                "created_before": created_before,
            },
        )

    def tell_order_delivery(
        self,
        order_id: str,
        *,
        carrier: str | None = None,
        tracking_number: str | None = None,
        delivered_at: str | None = None,
        note: str | None = None,
        idempotency_key: str | None = None,
    ) -> t.Handover:
        """Say how an order was delivered"""
        return cast(
            "t.Handover",
            self._call(
                "POST",
                f"/orders/{order_id}/delivery",
                body={
                    "carrier": carrier,
                    "tracking_number": tracking_number,
                    "delivered_at": delivered_at,
                    "note": note,
                },
                idempotency_key=idempotency_key,
            ),
        )

    def get_order_delivery(self, order_id: str) -> t.Handover:
        """Get what you said of an order's delivery"""
        return cast("t.Handover", self._call("GET", f"/orders/{order_id}/delivery"))

    def create_webhook_endpoint(
        self,
        *,
        url: str,
        description: str | None = None,
        events: list[
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
        | None = None,
        idempotency_key: str | None = None,
    ) -> t.Endpoint | t.EndpointSecret:
        """Create a webhook endpoint"""
        return cast(
            "t.Endpoint | t.EndpointSecret",
            self._call(
                "POST",
                "/webhook-endpoints",
                body={"url": url, "description": description, "events": events},
                idempotency_key=idempotency_key,
            ),
        )

    def list_webhook_endpoints(self, *, limit: int | None = None, after: str | None = None) -> Iterator[t.Endpoint]:
        """List webhook endpoints: all of them, fetched page by page as they are asked for."""
        return self._pages("/webhook-endpoints", {"limit": limit, "after": after})

    def get_webhook_endpoint(self, endpoint_id: str) -> t.Endpoint:
        """Get a webhook endpoint"""
        return cast("t.Endpoint", self._call("GET", f"/webhook-endpoints/{endpoint_id}"))

    def change_webhook_endpoint(
        self,
        endpoint_id: str,
        *,
        url: str | None = None,
        description: str | None = None,
        events: list[
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
        | None = None,
        enabled: bool | None = None,
    ) -> t.Endpoint:
        """Change a webhook endpoint"""
        return cast(
            "t.Endpoint",
            self._call(
                "PATCH",
                f"/webhook-endpoints/{endpoint_id}",
                body={"url": url, "description": description, "events": events, "enabled": enabled},
            ),
        )

    def delete_webhook_endpoint(self, endpoint_id: str) -> None:
        """Delete a webhook endpoint"""
        self._call("DELETE", f"/webhook-endpoints/{endpoint_id}")

    def rotate_webhook_secret(
        self, endpoint_id: str, *, overlap: int | None = None, idempotency_key: str | None = None
    ) -> t.EndpointSecret:
        """Give a webhook endpoint a new secret"""
        return cast(
            "t.EndpointSecret",
            self._call(
                "POST",
                f"/webhook-endpoints/{endpoint_id}/rotate-secret",
                body={"overlap": overlap},
                idempotency_key=idempotency_key,
            ),
        )

    def enable_webhook_endpoint(self, endpoint_id: str, *, idempotency_key: str | None = None) -> t.Endpoint:
        """Switch a webhook endpoint on again"""
        return cast(
            "t.Endpoint",
            self._call("POST", f"/webhook-endpoints/{endpoint_id}/enable", body={}, idempotency_key=idempotency_key),
        )

    def ping_webhook_endpoint(self, endpoint_id: str, *, idempotency_key: str | None = None) -> t.Delivery:
        """Test a webhook endpoint"""
        return cast(
            "t.Delivery",
            self._call("POST", f"/webhook-endpoints/{endpoint_id}/ping", body={}, idempotency_key=idempotency_key),
        )

    def list_webhook_deliveries(
        self, endpoint_id: str, *, limit: int | None = None, after: str | None = None
    ) -> Iterator[t.Delivery]:
        """List what a webhook endpoint was told: all of them, fetched page by page as they are asked for."""
        return self._pages(f"/webhook-endpoints/{endpoint_id}/deliveries", {"limit": limit, "after": after})

    def get_webhook_delivery(self, delivery_id: str) -> t.Delivery:
        """See what came of a delivery"""
        return cast("t.Delivery", self._call("GET", f"/webhook-deliveries/{delivery_id}"))

    def redeliver_webhook(self, delivery_id: str, *, idempotency_key: str | None = None) -> t.Delivery:
        """Deliver an event again"""
        return cast(
            "t.Delivery",
            self._call(
                "POST", f"/webhook-deliveries/{delivery_id}/redeliver", body={}, idempotency_key=idempotency_key
            ),
        )

    def begin_pairing(
        self,
        *,
        app: str,
        site: str,
        webhook_url: str,
        return_url: str,
        code_challenge: str,
        live: bool | None = None,
        scopes: list[Literal["read", "write", "refund"]] | None = None,
        origins: list[str] | None = None,
        events: list[
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
        | None = None,
        idempotency_key: str | None = None,
    ) -> t.Pairing:
        """Begin a pairing"""
        return cast(
            "t.Pairing",
            self._call(
                "POST",
                "/pairings",
                body={
                    "app": app,
                    "site": site,
                    "webhook_url": webhook_url,
                    "return_url": return_url,
                    "code_challenge": code_challenge,
                    "live": live,
                    "scopes": scopes,
                    "origins": origins,
                    "events": events,
                },
                idempotency_key=idempotency_key,
            ),
        )

    def redeem_pairing(
        self, pairing_id: str, *, code: str, code_verifier: str, idempotency_key: str | None = None
    ) -> t.Paired:
        """Redeem the code of a pairing"""
        return cast(
            "t.Paired",
            self._call(
                "POST",
                f"/pairings/{pairing_id}/redeem",
                body={"code": code, "code_verifier": code_verifier},
                idempotency_key=idempotency_key,
            ),
        )

    def list_request_logs(
        self,
        *,
        limit: int | None = None,
        after: str | None = None,
        status: int | None = None,
        code: str | None = None,
        created_since: str | None = None,
        created_before: str | None = None,
    ) -> Iterator[t.ApiCall]:
        """List the latest calls: all of them, fetched page by page as they are asked for."""
        return self._pages(
            "/request-logs",
            {
                "limit": limit,
                "after": after,
                "status": status,
                "code": code,
                "created_since": created_since,
                "created_before": created_before,
            },
        )

    def get_request_log(self, call_id: str) -> t.ApiCall:
        """Get a call by its Request-Id"""
        return cast("t.ApiCall", self._call("GET", f"/request-logs/{call_id}"))


class AsyncOperations:
    """The same, to be awaited."""

    async def _call(
        self, method: str, path: str, query: Any = None, body: Any = None, idempotency_key: str | None = None
    ) -> Any:
        raise NotImplementedError

    def _pages(self, path: str, query: Any) -> AsyncIterator[Any]:
        raise NotImplementedError

    async def get_account(self) -> t.Account:
        """See whose key this is"""
        return cast("t.Account", await self._call("GET", "/account"))

    async def weigh_offers(
        self,
        *,
        currency: str,
        amount: int | None = None,
        lines: list[t.LineIn] | None = None,
        adjustments: list[t.AdjustmentIn] | None = None,
        buyer: t.AskerIn | None = None,
        locale: str | None = None,
        screen: Literal["desktop", "phone", "wechatpay", "alipay", "other_app"] | None = None,
        idempotency_key: str | None = None,
    ) -> t.Offers:
        """See which ways to pay an order would get"""
        return cast(
            "t.Offers",
            await self._call(
                "POST",
                "/offers",
                query={"screen": screen},
                body={
                    "currency": currency,
                    "amount": amount,
                    "lines": lines,
                    "adjustments": adjustments,
                    "buyer": buyer,
                    "locale": locale,
                },
                idempotency_key=idempotency_key,
            ),
        )

    def list_orders(
        self,
        *,
        limit: int | None = None,
        after: str | None = None,
        reference: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> AsyncIterator[t.Order]:
        """List orders: all of them, fetched page by page as they are asked for."""
        return self._pages("/orders", {"limit": limit, "after": after, "reference": reference, "metadata": metadata})

    async def create_order(
        self,
        *,
        lines: list[t.LineIn],
        reference: str,
        currency: str,
        buyer: t.BuyerIn,
        adjustments: list[t.AdjustmentIn] | None = None,
        amount: int | None = None,
        metadata: dict[str, Any] | None = None,
        return_url: str | None = None,
        locale: str | None = None,
        expires_in: int | None = None,
        payment_request: t.PaymentRequestIn | None = None,
        screen: Literal["desktop", "phone", "wechatpay", "alipay", "other_app"] | None = None,
        idempotency_key: str | None = None,
    ) -> t.NewOrder:
        """Create an order"""
        return cast(
            "t.NewOrder",
            await self._call(
                "POST",
                "/orders",
                query={"screen": screen},
                body={
                    "lines": lines,
                    "adjustments": adjustments,
                    "amount": amount,
                    "reference": reference,
                    "currency": currency,
                    "buyer": buyer,
                    "metadata": metadata,
                    "return_url": return_url,
                    "locale": locale,
                    "expires_in": expires_in,
                    "payment_request": payment_request,
                },
                idempotency_key=idempotency_key,
            ),
        )

    async def get_order(self, order_id: str) -> t.Order:
        """Get an order"""
        return cast("t.Order", await self._call("GET", f"/orders/{order_id}"))

    def list_events(
        self, *, after: str | None = None, limit: int | None = None, latest: bool | None = None
    ) -> AsyncIterator[t.Event]:
        """List events: all of them, fetched page by page as they are asked for."""
        return self._pages("/events", {"after": after, "limit": limit, "latest": latest})

    async def change_order_lines(
        self,
        order_id: str,
        *,
        lines: list[t.LineIn],
        adjustments: list[t.AdjustmentIn] | None = None,
        amount: int | None = None,
        idempotency_key: str | None = None,
    ) -> t.Order:
        """Change what is bought"""
        return cast(
            "t.Order",
            await self._call(
                "POST",
                f"/orders/{order_id}/lines",
                body={"lines": lines, "adjustments": adjustments, "amount": amount},
                idempotency_key=idempotency_key,
            ),
        )

    async def cancel_order(self, order_id: str, *, idempotency_key: str | None = None) -> t.Order:
        """Cancel an order"""
        return cast(
            "t.Order", await self._call("POST", f"/orders/{order_id}/cancel", body={}, idempotency_key=idempotency_key)
        )

    async def mark_order_paid(
        self, order_id: str, *, note: str | None = None, idempotency_key: str | None = None
    ) -> t.Order:
        """Say that you were paid elsewhere"""
        return cast(
            "t.Order",
            await self._call(
                "POST", f"/orders/{order_id}/mark-paid", body={"note": note}, idempotency_key=idempotency_key
            ),
        )

    async def mark_order_unpaid(self, order_id: str, *, idempotency_key: str | None = None) -> t.Order:
        """Take back that you were paid elsewhere"""
        return cast(
            "t.Order",
            await self._call("POST", f"/orders/{order_id}/mark-unpaid", body={}, idempotency_key=idempotency_key),
        )

    async def list_order_offers(
        self, order_id: str, *, screen: Literal["desktop", "phone", "wechatpay", "alipay", "other_app"] | None = None
    ) -> t.Offers:
        """See which ways to pay an order gets"""
        return cast("t.Offers", await self._call("GET", f"/orders/{order_id}/offers", query={"screen": screen}))

    async def create_payment_request(
        self,
        order_id: str,
        *,
        message: str | None = None,
        expires_in: int | None = None,
        split: t.SplitIn | None = None,
        metadata: dict[str, Any] | None = None,
        screen: Literal["desktop", "phone", "wechatpay", "alipay", "other_app"] | None = None,
        idempotency_key: str | None = None,
    ) -> t.PaymentRequest:
        """Ask a friend to pay"""
        return cast(
            "t.PaymentRequest",
            await self._call(
                "POST",
                f"/orders/{order_id}/payment-requests",
                query={"screen": screen},
                body={"message": message, "expires_in": expires_in, "split": split, "metadata": metadata},
                idempotency_key=idempotency_key,
            ),
        )

    def list_payment_requests(
        self, order_id: str, *, limit: int | None = None, after: str | None = None
    ) -> AsyncIterator[t.PaymentRequest]:
        """List the payment requests of an order: all of them, fetched page by page as they are asked for."""
        return self._pages(f"/orders/{order_id}/payment-requests", {"limit": limit, "after": after})

    async def get_payment_request(self, request_id: str) -> t.PaymentRequest:
        """Get a payment request"""
        return cast("t.PaymentRequest", await self._call("GET", f"/payment-requests/{request_id}"))

    async def cancel_payment_request(self, request_id: str, *, idempotency_key: str | None = None) -> t.PaymentRequest:
        """Cancel a payment request"""
        return cast(
            "t.PaymentRequest",
            await self._call(
                "POST", f"/payment-requests/{request_id}/cancel", body={}, idempotency_key=idempotency_key
            ),
        )

    async def extend_payment_request(
        self, request_id: str, *, expires_in: int, idempotency_key: str | None = None
    ) -> t.PaymentRequest:
        """Give a payment request more time"""
        return cast(
            "t.PaymentRequest",
            await self._call(
                "POST",
                f"/payment-requests/{request_id}/extend",
                body={"expires_in": expires_in},
                idempotency_key=idempotency_key,
            ),
        )

    async def simulate_payment_request(
        self,
        request_id: str,
        *,
        outcome: t.Outcome | None = None,
        amount: int | None = None,
        payer_name: str | None = None,
        idempotency_key: str | None = None,
    ) -> t.PaymentRequest:
        """Simulate what a friend and her wallet do"""
        return cast(
            "t.PaymentRequest",
            await self._call(
                "POST",
                f"/payment-requests/{request_id}/simulate",
                body={"outcome": outcome, "amount": amount, "payer_name": payer_name},
                idempotency_key=idempotency_key,
            ),
        )

    async def get_payment(self, payment_id: str) -> t.Payment:
        """Get a payment"""
        return cast("t.Payment", await self._call("GET", f"/payments/{payment_id}"))

    async def refund_payment(
        self,
        payment_id: str,
        *,
        amount: int | None = None,
        lines: list[t.RefundedLineIn] | None = None,
        reason: str | None = None,
        merchant_reference: str | None = None,
        idempotency_key: str | None = None,
    ) -> t.Refund:
        """Refund a payment"""
        return cast(
            "t.Refund",
            await self._call(
                "POST",
                f"/payments/{payment_id}/refunds",
                body={"amount": amount, "lines": lines, "reason": reason, "merchant_reference": merchant_reference},
                idempotency_key=idempotency_key,
            ),
        )

    async def refund_order(
        self,
        order_id: str,
        *,
        amount: int | None = None,
        lines: list[t.RefundedLineIn] | None = None,
        reason: str | None = None,
        merchant_reference: str | None = None,
        idempotency_key: str | None = None,
    ) -> t.Refunds:
        """Refund an order"""
        return cast(
            "t.Refunds",
            await self._call(
                "POST",
                f"/orders/{order_id}/refunds",
                body={"amount": amount, "lines": lines, "reason": reason, "merchant_reference": merchant_reference},
                idempotency_key=idempotency_key,
            ),
        )

    async def get_refund(self, refund_id: str) -> t.Refund:
        """Get a refund"""
        return cast("t.Refund", await self._call("GET", f"/refunds/{refund_id}"))

    def list_all_payment_requests(
        self,
        *,
        limit: int | None = None,
        after: str | None = None,
        status: Literal["open", "paid", "expired", "cancelled"] | None = None,
        order: str | None = None,
        order_reference: str | None = None,
        buyer: str | None = None,
        created_since: str | None = None,
        created_before: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> AsyncIterator[t.PaymentRequest]:
        """List payment requests: all of them, fetched page by page as they are asked for."""
        return self._pages(
            "/payment-requests",
            {
                "limit": limit,
                "after": after,
                "status": status,
                "order": order,
                "order_reference": order_reference,
                "buyer": buyer,
                "created_since": created_since,
                "created_before": created_before,
                "metadata": metadata,
            },
        )

    def list_payments(
        self,
        *,
        limit: int | None = None,
        after: str | None = None,
        status: Literal["created", "pending", "succeeded", "failed", "cancelled"] | None = None,
        order: str | None = None,
        order_reference: str | None = None,
        buyer: str | None = None,
        provider_reference: str | None = None,
        created_since: str | None = None,
        created_before: str | None = None,
    ) -> AsyncIterator[t.Payment]:
        """List payments: all of them, fetched page by page as they are asked for."""
        return self._pages(
            "/payments",
            {
                "limit": limit,
                "after": after,
                "status": status,
                "order": order,
                "order_reference": order_reference,
                "buyer": buyer,
                "provider_reference": provider_reference,
                "created_since": created_since,
                "created_before": created_before,
            },
        )

    def list_refunds(
        self,
        *,
        limit: int | None = None,
        after: str | None = None,
        status: Literal["requested", "submitted", "succeeded", "failed", "withdrawn", "returned_elsewhere"]
        | None = None,
        order: str | None = None,
        order_reference: str | None = None,
        buyer: str | None = None,
        merchant_reference: str | None = None,
        created_since: str | None = None,
        created_before: str | None = None,
    ) -> AsyncIterator[t.Refund]:
        """List refunds: all of them, fetched page by page as they are asked for."""
        return self._pages(
            "/refunds",
            {
                "limit": limit,
                "after": after,
                "status": status,
                "order": order,
                "order_reference": order_reference,
                "buyer": buyer,
                "merchant_reference": merchant_reference,
                "created_since": created_since,
                "created_before": created_before,
            },
        )

    async def tell_order_delivery(
        self,
        order_id: str,
        *,
        carrier: str | None = None,
        tracking_number: str | None = None,
        delivered_at: str | None = None,
        note: str | None = None,
        idempotency_key: str | None = None,
    ) -> t.Handover:
        """Say how an order was delivered"""
        return cast(
            "t.Handover",
            await self._call(
                "POST",
                f"/orders/{order_id}/delivery",
                body={
                    "carrier": carrier,
                    "tracking_number": tracking_number,
                    "delivered_at": delivered_at,
                    "note": note,
                },
                idempotency_key=idempotency_key,
            ),
        )

    async def get_order_delivery(self, order_id: str) -> t.Handover:
        """Get what you said of an order's delivery"""
        return cast("t.Handover", await self._call("GET", f"/orders/{order_id}/delivery"))

    async def create_webhook_endpoint(
        self,
        *,
        url: str,
        description: str | None = None,
        events: list[
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
        | None = None,
        idempotency_key: str | None = None,
    ) -> t.Endpoint | t.EndpointSecret:
        """Create a webhook endpoint"""
        return cast(
            "t.Endpoint | t.EndpointSecret",
            await self._call(
                "POST",
                "/webhook-endpoints",
                body={"url": url, "description": description, "events": events},
                idempotency_key=idempotency_key,
            ),
        )

    def list_webhook_endpoints(
        self, *, limit: int | None = None, after: str | None = None
    ) -> AsyncIterator[t.Endpoint]:
        """List webhook endpoints: all of them, fetched page by page as they are asked for."""
        return self._pages("/webhook-endpoints", {"limit": limit, "after": after})

    async def get_webhook_endpoint(self, endpoint_id: str) -> t.Endpoint:
        """Get a webhook endpoint"""
        return cast("t.Endpoint", await self._call("GET", f"/webhook-endpoints/{endpoint_id}"))

    async def change_webhook_endpoint(
        self,
        endpoint_id: str,
        *,
        url: str | None = None,
        description: str | None = None,
        events: list[
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
        | None = None,
        enabled: bool | None = None,
    ) -> t.Endpoint:
        """Change a webhook endpoint"""
        return cast(
            "t.Endpoint",
            await self._call(
                "PATCH",
                f"/webhook-endpoints/{endpoint_id}",
                body={"url": url, "description": description, "events": events, "enabled": enabled},
            ),
        )

    async def delete_webhook_endpoint(self, endpoint_id: str) -> None:
        """Delete a webhook endpoint"""
        await self._call("DELETE", f"/webhook-endpoints/{endpoint_id}")

    async def rotate_webhook_secret(
        self, endpoint_id: str, *, overlap: int | None = None, idempotency_key: str | None = None
    ) -> t.EndpointSecret:
        """Give a webhook endpoint a new secret"""
        return cast(
            "t.EndpointSecret",
            await self._call(
                "POST",
                f"/webhook-endpoints/{endpoint_id}/rotate-secret",
                body={"overlap": overlap},
                idempotency_key=idempotency_key,
            ),
        )

    async def enable_webhook_endpoint(self, endpoint_id: str, *, idempotency_key: str | None = None) -> t.Endpoint:
        """Switch a webhook endpoint on again"""
        return cast(
            "t.Endpoint",
            await self._call(
                "POST", f"/webhook-endpoints/{endpoint_id}/enable", body={}, idempotency_key=idempotency_key
            ),
        )

    async def ping_webhook_endpoint(self, endpoint_id: str, *, idempotency_key: str | None = None) -> t.Delivery:
        """Test a webhook endpoint"""
        return cast(
            "t.Delivery",
            await self._call(
                "POST", f"/webhook-endpoints/{endpoint_id}/ping", body={}, idempotency_key=idempotency_key
            ),
        )

    def list_webhook_deliveries(
        self, endpoint_id: str, *, limit: int | None = None, after: str | None = None
    ) -> AsyncIterator[t.Delivery]:
        """List what a webhook endpoint was told: all of them, fetched page by page as they are asked for."""
        return self._pages(f"/webhook-endpoints/{endpoint_id}/deliveries", {"limit": limit, "after": after})

    async def get_webhook_delivery(self, delivery_id: str) -> t.Delivery:
        """See what came of a delivery"""
        return cast("t.Delivery", await self._call("GET", f"/webhook-deliveries/{delivery_id}"))

    async def redeliver_webhook(self, delivery_id: str, *, idempotency_key: str | None = None) -> t.Delivery:
        """Deliver an event again"""
        return cast(
            "t.Delivery",
            await self._call(
                "POST", f"/webhook-deliveries/{delivery_id}/redeliver", body={}, idempotency_key=idempotency_key
            ),
        )

    async def begin_pairing(
        self,
        *,
        app: str,
        site: str,
        webhook_url: str,
        return_url: str,
        code_challenge: str,
        live: bool | None = None,
        scopes: list[Literal["read", "write", "refund"]] | None = None,
        origins: list[str] | None = None,
        events: list[
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
        | None = None,
        idempotency_key: str | None = None,
    ) -> t.Pairing:
        """Begin a pairing"""
        return cast(
            "t.Pairing",
            await self._call(
                "POST",
                "/pairings",
                body={
                    "app": app,
                    "site": site,
                    "webhook_url": webhook_url,
                    "return_url": return_url,
                    "code_challenge": code_challenge,
                    "live": live,
                    "scopes": scopes,
                    "origins": origins,
                    "events": events,
                },
                idempotency_key=idempotency_key,
            ),
        )

    async def redeem_pairing(
        self, pairing_id: str, *, code: str, code_verifier: str, idempotency_key: str | None = None
    ) -> t.Paired:
        """Redeem the code of a pairing"""
        return cast(
            "t.Paired",
            await self._call(
                "POST",
                f"/pairings/{pairing_id}/redeem",
                body={"code": code, "code_verifier": code_verifier},
                idempotency_key=idempotency_key,
            ),
        )

    def list_request_logs(
        self,
        *,
        limit: int | None = None,
        after: str | None = None,
        status: int | None = None,
        code: str | None = None,
        created_since: str | None = None,
        created_before: str | None = None,
    ) -> AsyncIterator[t.ApiCall]:
        """List the latest calls: all of them, fetched page by page as they are asked for."""
        return self._pages(
            "/request-logs",
            {
                "limit": limit,
                "after": after,
                "status": status,
                "code": code,
                "created_since": created_since,
                "created_before": created_before,
            },
        )

    async def get_request_log(self, call_id: str) -> t.ApiCall:
        """Get a call by its Request-Id"""
        return cast("t.ApiCall", await self._call("GET", f"/request-logs/{call_id}"))
