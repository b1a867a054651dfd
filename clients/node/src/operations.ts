// A method for each call of friendpay's API. Written from its description by tests/clients/build.py.
import type * as t from "./types.js";

export type Query = Record<string, string | number | boolean | Record<string, unknown> | null | undefined>;

/** Calls as methods. */
export abstract class Operations {
  protected abstract call<T>(
    method: string, path: string, query?: Query, body?: unknown, idempotencyKey?: string,
  ): Promise<T>;
  protected abstract pages<T>(path: string, query: Query): AsyncIterable<T>;

  /** See whose key this is */
  getAccount(): Promise<t.Account> {
    return this.call("GET", `/account`);
  }

  /** See which ways to pay an order would get */
  weighOffers(body: t.OffersIn, query: { screen?: "desktop" | "phone" | "wechatpay" | "alipay" | "other_app" } = {}, idempotencyKey?: string): Promise<t.Offers> {
    return this.call("POST", `/offers`, query, body, idempotencyKey);
  }

  /** List orders: all of them, fetched page by page as they are asked for. */
  listOrders(query: { limit?: number; after?: string; reference?: string; metadata?: Record<string, unknown> } = {}): AsyncIterable<t.Order> {
    return this.pages(`/orders`, query);
  }

  /** Create an order */
  createOrder(body: t.OrderIn, query: { screen?: "desktop" | "phone" | "wechatpay" | "alipay" | "other_app" } = {}, idempotencyKey?: string): Promise<t.NewOrder> {
    return this.call("POST", `/orders`, query, body, idempotencyKey);
  }

  /** Get an order */
  getOrder(order_id: string): Promise<t.Order> {
    return this.call("GET", `/orders/${encodeURIComponent(order_id)}`);
  }

  /** List events: all of them, fetched page by page as they are asked for. */
  listEvents(query: { after?: string; limit?: number; latest?: boolean } = {}): AsyncIterable<t.Event> {
    return this.pages(`/events`, query);
  }

  /** Change what is bought */
  changeOrderLines(order_id: string, body: t.LinesIn, idempotencyKey?: string): Promise<t.Order> {
    return this.call("POST", `/orders/${encodeURIComponent(order_id)}/lines`, {}, body, idempotencyKey);
  }

  /** Cancel an order */
  cancelOrder(order_id: string, idempotencyKey?: string): Promise<t.Order> {
    return this.call("POST", `/orders/${encodeURIComponent(order_id)}/cancel`, {}, {}, idempotencyKey);
  }

  /** Say that you were paid elsewhere */
  markOrderPaid(order_id: string, body: t.PaidElsewhereIn = {}, idempotencyKey?: string): Promise<t.Order> {
    return this.call("POST", `/orders/${encodeURIComponent(order_id)}/mark-paid`, {}, body, idempotencyKey);
  }

  /** Take back that you were paid elsewhere */
  markOrderUnpaid(order_id: string, idempotencyKey?: string): Promise<t.Order> {
    return this.call("POST", `/orders/${encodeURIComponent(order_id)}/mark-unpaid`, {}, {}, idempotencyKey);
  }

  /** See which ways to pay an order gets */
  listOrderOffers(order_id: string, query: { screen?: "desktop" | "phone" | "wechatpay" | "alipay" | "other_app" } = {}): Promise<t.Offers> {
    return this.call("GET", `/orders/${encodeURIComponent(order_id)}/offers`, query);
  }

  /** Ask a friend to pay */
  createPaymentRequest(order_id: string, body: t.PaymentRequestIn = {}, query: { screen?: "desktop" | "phone" | "wechatpay" | "alipay" | "other_app" } = {}, idempotencyKey?: string): Promise<t.PaymentRequest> {
    return this.call("POST", `/orders/${encodeURIComponent(order_id)}/payment-requests`, query, body, idempotencyKey);
  }

  /** List the payment requests of an order: all of them, fetched page by page as they are asked for. */
  listPaymentRequests(order_id: string, query: { limit?: number; after?: string } = {}): AsyncIterable<t.PaymentRequest> {
    return this.pages(`/orders/${encodeURIComponent(order_id)}/payment-requests`, query);
  }

  /** Get a payment request */
  getPaymentRequest(request_id: string): Promise<t.PaymentRequest> {
    return this.call("GET", `/payment-requests/${encodeURIComponent(request_id)}`);
  }

  /** Cancel a payment request */
  cancelPaymentRequest(request_id: string, idempotencyKey?: string): Promise<t.PaymentRequest> {
    return this.call("POST", `/payment-requests/${encodeURIComponent(request_id)}/cancel`, {}, {}, idempotencyKey);
  }

  /** Give a payment request more time */
  extendPaymentRequest(request_id: string, body: t.ExtendIn, idempotencyKey?: string): Promise<t.PaymentRequest> {
    return this.call("POST", `/payment-requests/${encodeURIComponent(request_id)}/extend`, {}, body, idempotencyKey);
  }

  /** Simulate what a friend and her wallet do */
  simulatePaymentRequest(request_id: string, body: t.SimulateIn = {}, idempotencyKey?: string): Promise<t.PaymentRequest> {
    return this.call("POST", `/payment-requests/${encodeURIComponent(request_id)}/simulate`, {}, body, idempotencyKey);
  }

  /** Get a payment */
  getPayment(payment_id: string): Promise<t.Payment> {
    return this.call("GET", `/payments/${encodeURIComponent(payment_id)}`);
  }

  /** Refund a payment */
  refundPayment(payment_id: string, body: t.RefundIn = {}, idempotencyKey?: string): Promise<t.Refund> {
    return this.call("POST", `/payments/${encodeURIComponent(payment_id)}/refunds`, {}, body, idempotencyKey);
  }

  /** Refund an order */
  refundOrder(order_id: string, body: t.RefundIn = {}, idempotencyKey?: string): Promise<t.Refunds> {
    return this.call("POST", `/orders/${encodeURIComponent(order_id)}/refunds`, {}, body, idempotencyKey);
  }

  /** Get a refund */
  getRefund(refund_id: string): Promise<t.Refund> {
    return this.call("GET", `/refunds/${encodeURIComponent(refund_id)}`);
  }

  /** List payment requests: all of them, fetched page by page as they are asked for. */
  listAllPaymentRequests(query: { limit?: number; after?: string; status?: "open" | "paid" | "expired" | "cancelled"; order?: string; order_reference?: string; buyer?: string; created_since?: string; created_before?: string; metadata?: Record<string, unknown> } = {}): AsyncIterable<t.PaymentRequest> {
    return this.pages(`/payment-requests`, query);
  }

  /** List payments: all of them, fetched page by page as they are asked for. */
  listPayments(query: { limit?: number; after?: string; status?: "created" | "pending" | "succeeded" | "failed" | "cancelled"; order?: string; order_reference?: string; buyer?: string; provider_reference?: string; created_since?: string; created_before?: string } = {}): AsyncIterable<t.Payment> {
    return this.pages(`/payments`, query);
  }

  /** List refunds: all of them, fetched page by page as they are asked for. */
  listRefunds(query: { limit?: number; after?: string; status?: "requested" | "submitted" | "succeeded" | "failed" | "withdrawn" | "returned_elsewhere"; order?: string; order_reference?: string; buyer?: string; merchant_reference?: string; created_since?: string; created_before?: string } = {}): AsyncIterable<t.Refund> {
    return this.pages(`/refunds`, query);
  }

  /** Say how an order was delivered */
  tellOrderDelivery(order_id: string, body: t.HandoverIn = {}, idempotencyKey?: string): Promise<t.Handover> {
    return this.call("POST", `/orders/${encodeURIComponent(order_id)}/delivery`, {}, body, idempotencyKey);
  }

  /** Get what you said of an order's delivery */
  getOrderDelivery(order_id: string): Promise<t.Handover> {
    return this.call("GET", `/orders/${encodeURIComponent(order_id)}/delivery`);
  }

  /** Create a webhook endpoint */
  createWebhookEndpoint(body: t.EndpointIn, idempotencyKey?: string): Promise<t.Endpoint | t.EndpointSecret> {
    return this.call("POST", `/webhook-endpoints`, {}, body, idempotencyKey);
  }

  /** List webhook endpoints: all of them, fetched page by page as they are asked for. */
  listWebhookEndpoints(query: { limit?: number; after?: string } = {}): AsyncIterable<t.Endpoint> {
    return this.pages(`/webhook-endpoints`, query);
  }

  /** Get a webhook endpoint */
  getWebhookEndpoint(endpoint_id: string): Promise<t.Endpoint> {
    return this.call("GET", `/webhook-endpoints/${encodeURIComponent(endpoint_id)}`);
  }

  /** Change a webhook endpoint */
  changeWebhookEndpoint(endpoint_id: string, body: t.EndpointChangeIn = {}): Promise<t.Endpoint> {
    return this.call("PATCH", `/webhook-endpoints/${encodeURIComponent(endpoint_id)}`, {}, body);
  }

  /** Delete a webhook endpoint */
  deleteWebhookEndpoint(endpoint_id: string): Promise<void> {
    return this.call("DELETE", `/webhook-endpoints/${encodeURIComponent(endpoint_id)}`);
  }

  /** Give a webhook endpoint a new secret */
  rotateWebhookSecret(endpoint_id: string, body: t.RotateIn = {}, idempotencyKey?: string): Promise<t.EndpointSecret> {
    return this.call("POST", `/webhook-endpoints/${encodeURIComponent(endpoint_id)}/rotate-secret`, {}, body, idempotencyKey);
  }

  /** Switch a webhook endpoint on again */
  enableWebhookEndpoint(endpoint_id: string, idempotencyKey?: string): Promise<t.Endpoint> {
    return this.call("POST", `/webhook-endpoints/${encodeURIComponent(endpoint_id)}/enable`, {}, {}, idempotencyKey);
  }

  /** Test a webhook endpoint */
  pingWebhookEndpoint(endpoint_id: string, idempotencyKey?: string): Promise<t.Delivery> {
    return this.call("POST", `/webhook-endpoints/${encodeURIComponent(endpoint_id)}/ping`, {}, {}, idempotencyKey);
  }

  /** List what a webhook endpoint was told: all of them, fetched page by page as they are asked for. */
  listWebhookDeliveries(endpoint_id: string, query: { limit?: number; after?: string } = {}): AsyncIterable<t.Delivery> {
    return this.pages(`/webhook-endpoints/${encodeURIComponent(endpoint_id)}/deliveries`, query);
  }

  /** See what came of a delivery */
  getWebhookDelivery(delivery_id: string): Promise<t.Delivery> {
    return this.call("GET", `/webhook-deliveries/${encodeURIComponent(delivery_id)}`);
  }

  /** Deliver an event again */
  redeliverWebhook(delivery_id: string, idempotencyKey?: string): Promise<t.Delivery> {
    return this.call("POST", `/webhook-deliveries/${encodeURIComponent(delivery_id)}/redeliver`, {}, {}, idempotencyKey);
  }

  /** Begin a pairing */
  beginPairing(body: t.PairingIn, idempotencyKey?: string): Promise<t.Pairing> {
    return this.call("POST", `/pairings`, {}, body, idempotencyKey);
  }

  /** Redeem the code of a pairing */
  redeemPairing(pairing_id: string, body: t.RedeemIn, idempotencyKey?: string): Promise<t.Paired> {
    return this.call("POST", `/pairings/${encodeURIComponent(pairing_id)}/redeem`, {}, body, idempotencyKey);
  }

  /** List the latest calls: all of them, fetched page by page as they are asked for. */
  listRequestLogs(query: { limit?: number; after?: string; status?: number; code?: string; created_since?: string; created_before?: string } = {}): AsyncIterable<t.ApiCall> {
    return this.pages(`/request-logs`, query);
  }

  /** Get a call by its Request-Id */
  getRequestLog(call_id: string): Promise<t.ApiCall> {
    return this.call("GET", `/request-logs/${encodeURIComponent(call_id)}`);
  }
}
