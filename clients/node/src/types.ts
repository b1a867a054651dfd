// The objects of friendpay's API. Written from its description by tests/clients/build.py.

/** Whose key this is, and what can be done with it. */
export interface Account {
  shop: Shop;
  live: boolean;
  key: Key;
  currencies: Array<string>;
  methods: Array<Method>;
  limits: Limits;
}

/** What an order's sum has beside its lines. */
export interface AdjustmentData {
  kind: "shipping" | "tax" | "discount" | "fee" | "credit" | "rounding";
  name: string;
  amount: number;
  included: boolean;
}

/** What the sum has beside the lines. */
export interface AdjustmentIn {
  kind: "shipping" | "tax" | "discount" | "fee" | "credit" | "rounding";
  name: string;
  included?: boolean | null;
  amount: number;
}

/** A call that was let in. Texts that may be secret, or about somebody, are not kept. */
export interface ApiCall {
  id: string;
  key: string;
  live: boolean;
  at: string;
  method: string;
  path: string;
  query: Record<string, unknown>;
  body: string;
  status: number;
  code: string;
  answer: string;
  milliseconds: number;
  agent: string;
}

/** AskerIn of the API. */
export interface AskerIn {
  id: string;
  name?: string | null;
}

/** One call, and what came of it. */
export interface Attempt {
  at: string;
  status_code: number | null;
  milliseconds: number;
  error: string;
  answer: string;
}

/** BuyerIn of the API. */
export interface BuyerIn {
  id: string;
  name: string;
}

/** Buyer of the API. */
export interface Buyer {
  id: string;
  name: string;
}

/** A request, and what a friend said about it. */
export interface DeclinedData {
  id: string;
  order: string;
  order_reference: string;
  status: "open" | "paid" | "expired" | "cancelled";
  currency: string;
  amount: number;
  amount_paid: number;
  amount_held: number;
  metadata: Record<string, unknown>;
  created_at: string;
  expires_at: string;
  paid_at: string | null;
  closed_at: string | null;
  words: string;
  choice: string;
  name: string;
}

/** The telling of one event to one endpoint. */
export interface Delivery {
  id: string;
  endpoint: string;
  event: string;
  event_type: string;
  status: "pending" | "delivered" | "given_up";
  next_attempt_at: string | null;
  delivered_at: string | null;
  created_at: string;
  attempts: Array<Attempt>;
}

/** A payment, and what the wallet says of a dispute about it. */
export interface DisputeData {
  id: string;
  order: string;
  order_reference: string;
  payment_request: string;
  status: "created" | "pending" | "succeeded" | "failed" | "cancelled";
  method: string;
  currency: string;
  amount: number;
  amount_captured: number;
  amount_applied: number;
  amount_disputed: number;
  payer_name: string;
  by_buyer: boolean;
  share: number | null;
  reference: string;
  provider_reference: string;
  failure_code: string;
  created_at: string;
  succeeded_at: string | null;
  dispute: string;
  dispute_status: "inquiry" | "open" | "won" | "lost";
  disputed: number;
  dispute_currency: string;
  dispute_reason: string;
}

/** What is left out, or null, stays as it is. */
export interface EndpointChangeIn {
  url?: string | null;
  description?: string | null;
  events?: Array<"order.cancelled" | "order.changed" | "order.created" | "order.expired" | "order.paid" | "order.refund_reopened" | "order.refunded" | "order.reopened" | "payment.adopted" | "payment.cancelled" | "payment.created" | "payment.dispute_lost" | "payment.dispute_won" | "payment.disputed" | "payment.extended" | "payment.failed" | "payment.released" | "payment.succeeded" | "payment_request.cancelled" | "payment_request.changed" | "payment_request.considered" | "payment_request.created" | "payment_request.declined" | "payment_request.expired" | "payment_request.extended" | "payment_request.opened" | "payment_request.paid" | "payment_request.reported" | "payment_request.shared" | "payment_request.thanked" | "refund.external" | "refund.failed" | "refund.renumbered" | "refund.requested" | "refund.returned_elsewhere" | "refund.submitted" | "refund.succeeded" | "refund.withdrawn" | "webhook_endpoint.pinged"> | null;
  enabled?: boolean | null;
}

/** A webhook endpoint that was pinged. Its address is left out: it may hold a secret of the shop's. */
export interface EndpointData {
  id: string;
  live: boolean;
  description: string;
  events: Array<string>;
}

/** EndpointIn of the API. */
export interface EndpointIn {
  url: string;
  description?: string | null;
  events?: Array<"order.cancelled" | "order.changed" | "order.created" | "order.expired" | "order.paid" | "order.refund_reopened" | "order.refunded" | "order.reopened" | "payment.adopted" | "payment.cancelled" | "payment.created" | "payment.dispute_lost" | "payment.dispute_won" | "payment.disputed" | "payment.extended" | "payment.failed" | "payment.released" | "payment.succeeded" | "payment_request.cancelled" | "payment_request.changed" | "payment_request.considered" | "payment_request.created" | "payment_request.declined" | "payment_request.expired" | "payment_request.extended" | "payment_request.opened" | "payment_request.paid" | "payment_request.reported" | "payment_request.shared" | "payment_request.thanked" | "refund.external" | "refund.failed" | "refund.renumbered" | "refund.requested" | "refund.returned_elsewhere" | "refund.submitted" | "refund.succeeded" | "refund.withdrawn" | "webhook_endpoint.pinged"> | null;
}

/** An address that is told what happens. */
export interface Endpoint {
  id: string;
  url: string;
  description: string;
  events: Array<string>;
  live: boolean;
  enabled: boolean;
  disabled_at: string | null;
  disabled_reason: string;
  failing_since: string | null;
  previous_secret_ends_at: string | null;
  created_at: string;
}

/** An endpoint with its new secret, which is never shown again. */
export interface EndpointSecret {
  id: string;
  url: string;
  description: string;
  events: Array<string>;
  live: boolean;
  enabled: boolean;
  disabled_at: string | null;
  disabled_reason: string;
  failing_since: string | null;
  previous_secret_ends_at: string | null;
  created_at: string;
  secret: string;
}

/** One thing that happened. */
export interface Event {
  id: string;
  sequence: number;
  type: string;
  live: boolean;
  created_at: string;
  actor: string;
  object: string;
  order: string | null;
  payment_request: string | null;
  data: Record<string, unknown>;
}

/** ExtendIn of the API. */
export interface ExtendIn {
  expires_in: number;
}

/** HandoverIn of the API. */
export interface HandoverIn {
  carrier?: string;
  tracking_number?: string;
  delivered_at?: string | null;
  note?: string;
}

/** Handover of the API. */
export interface Handover {
  order: string;
  carrier: string;
  tracking_number: string;
  delivered_at: string | null;
  note: string;
  told_at: string;
}

/** What became of the picture at `image_url`. */
export interface Image {
  status: "pending" | "ready" | "refused" | "failed" | "forgotten";
  reason: string;
  url: string;
}

/** Key of the API. */
export interface Key {
  name: string;
  start: string;
  can_read: boolean;
  can_write: boolean;
  can_refund: boolean;
  created_at: string;
  expires_at: string | null;
}

/** Limits of the API. */
export interface Limits {
  calls_per_second: number;
  amount_most: number;
  expires_in_least: number;
  expires_in_most: number;
  payers_most: number;
  webhook_endpoints_most: number;
  idempotency_hours: number;
}

/** One kind of goods, with the price of each (`unit_amount`) or of all of it (`amount`). */
export interface LineIn {
  name: string;
  quantity: number | string;
  unit?: string | null;
  amount?: number | null;
  unit_amount?: number | null;
  category?: string | null;
  image_url?: string | null;
}

/** Line of the API. */
export interface Line {
  name: string;
  quantity: number | string;
  unit: string;
  unit_amount: number | null;
  amount: number;
  quantity_returned: number | string;
  category: string;
  image_url: string;
  image: Image | null;
}

/** What is bought, and what it costs. */
export interface LinesIn {
  lines: Array<LineIn>;
  adjustments?: Array<AdjustmentIn> | null;
  amount?: number | null;
}

/** Method of the API. */
export interface Method {
  method: string;
  label: string;
  provider: string;
  enabled: boolean;
  currencies: Array<string> | null;
}

/** A new order; with `payment_request` where one was asked for with it, and as any order where not. */
export interface NewOrder {
  id: string;
  reference: string;
  live: boolean;
  status: "awaiting_payment" | "paid" | "cancelled" | "expired";
  currency: string;
  amount: number;
  adjustments: Array<AdjustmentData>;
  amount_paid: number;
  amount_refunded: number;
  metadata: Record<string, unknown>;
  paid_elsewhere: boolean;
  paid_elsewhere_note: string;
  created_at: string;
  expires_at: string | null;
  paid_at: string | null;
  cancelled_at: string | null;
  expired_at: string | null;
  lines: Array<Line>;
  buyer: Buyer;
  checkout_url: string;
  return_url: string;
  locale: string;
  payment_request?: PaymentRequest;
}

/** An order that there may never be. `amount`, or lines and adjustments to add up, or both: then `amount` counts. */
export interface OffersIn {
  currency: string;
  amount?: number | null;
  lines?: Array<LineIn> | null;
  adjustments?: Array<AdjustmentIn> | null;
  buyer?: AskerIn | null;
  locale?: string | null;
}

/** The ways to pay that the page shows, and why it does not show the others. For you and your support alone. */
export interface Offers {
  shown: Array<Shown>;
  withheld: Array<Withheld>;
}

/** An order as it stood then. */
export interface OrderData {
  id: string;
  reference: string;
  live: boolean;
  status: "awaiting_payment" | "paid" | "cancelled" | "expired";
  currency: string;
  amount: number;
  adjustments: Array<AdjustmentData>;
  amount_paid: number;
  amount_refunded: number;
  metadata: Record<string, unknown>;
  paid_elsewhere: boolean;
  paid_elsewhere_note: string;
  created_at: string;
  expires_at: string | null;
  paid_at: string | null;
  cancelled_at: string | null;
  expired_at: string | null;
}

/** OrderIn of the API. */
export interface OrderIn {
  lines: Array<LineIn>;
  adjustments?: Array<AdjustmentIn> | null;
  amount?: number | null;
  reference: string;
  currency: string;
  buyer: BuyerIn;
  metadata?: Record<string, unknown> | null;
  return_url?: string | null;
  locale?: string | null;
  expires_in?: number | null;
  payment_request?: PaymentRequestIn | null;
}

/** An order: what is bought, and how much of it is paid. */
export interface Order {
  id: string;
  reference: string;
  live: boolean;
  status: "awaiting_payment" | "paid" | "cancelled" | "expired";
  currency: string;
  amount: number;
  adjustments: Array<AdjustmentData>;
  amount_paid: number;
  amount_refunded: number;
  metadata: Record<string, unknown>;
  paid_elsewhere: boolean;
  paid_elsewhere_note: string;
  created_at: string;
  expires_at: string | null;
  paid_at: string | null;
  cancelled_at: string | null;
  expired_at: string | null;
  lines: Array<Line>;
  buyer: Buyer;
  checkout_url: string;
  return_url: string;
  locale: string;
}

/** An order, and the refund by which its `amount_refunded` changed. */
export interface OrderRefundData {
  id: string;
  reference: string;
  live: boolean;
  status: "awaiting_payment" | "paid" | "cancelled" | "expired";
  currency: string;
  amount: number;
  adjustments: Array<AdjustmentData>;
  amount_paid: number;
  amount_refunded: number;
  metadata: Record<string, unknown>;
  paid_elsewhere: boolean;
  paid_elsewhere_note: string;
  created_at: string;
  expires_at: string | null;
  paid_at: string | null;
  cancelled_at: string | null;
  expired_at: string | null;
  refund: string;
  refund_amount: number;
}

export type Outcome = "opened" | "declined" | "begun" | "abandoned" | "twice" | "late" | "expired" | "thanked" | "paid" | "refused" | "untold" | "disputed" | "dispute_won" | "dispute_lost" | "refund_refused" | "refund_slow" | "refunded_by_hand";

/** PaidElsewhereIn of the API. */
export interface PaidElsewhereIn {
  note?: string | null;
}

/** What was granted. Keep `key` and the endpoint's `secret`: they are shown here and nowhere else. */
export interface Paired {
  key: string;
  live: boolean;
  scopes: Array<string>;
  shop: string;
  shop_name: string;
  origins: Array<string>;
  webhook_endpoint: EndpointSecret;
}

/** PairingIn of the API. */
export interface PairingIn {
  app: string;
  site: string;
  webhook_url: string;
  return_url: string;
  code_challenge: string;
  live?: boolean;
  scopes?: Array<"read" | "write" | "refund">;
  origins?: Array<string>;
  events?: Array<"order.cancelled" | "order.changed" | "order.created" | "order.expired" | "order.paid" | "order.refund_reopened" | "order.refunded" | "order.reopened" | "payment.adopted" | "payment.cancelled" | "payment.created" | "payment.dispute_lost" | "payment.dispute_won" | "payment.disputed" | "payment.extended" | "payment.failed" | "payment.released" | "payment.succeeded" | "payment_request.cancelled" | "payment_request.changed" | "payment_request.considered" | "payment_request.created" | "payment_request.declined" | "payment_request.expired" | "payment_request.extended" | "payment_request.opened" | "payment_request.paid" | "payment_request.reported" | "payment_request.shared" | "payment_request.thanked" | "refund.external" | "refund.failed" | "refund.renumbered" | "refund.requested" | "refund.returned_elsewhere" | "refund.submitted" | "refund.succeeded" | "refund.withdrawn" | "webhook_endpoint.pinged">;
}

/** What somebody of the shop is asked to consent to. */
export interface Pairing {
  id: string;
  url: string;
  expires_at: string;
}

/** A payment as it stood then. */
export interface PaymentData {
  id: string;
  order: string;
  order_reference: string;
  payment_request: string;
  status: "created" | "pending" | "succeeded" | "failed" | "cancelled";
  method: string;
  currency: string;
  amount: number;
  amount_captured: number;
  amount_applied: number;
  amount_disputed: number;
  payer_name: string;
  by_buyer: boolean;
  share: number | null;
  reference: string;
  provider_reference: string;
  failure_code: string;
  created_at: string;
  succeeded_at: string | null;
}

/** One payer's attempt. What was captured but not applied went back by itself. */
export interface Payment {
  id: string;
  order: string;
  order_reference: string;
  payment_request: string;
  status: "created" | "pending" | "succeeded" | "failed" | "cancelled";
  method: string;
  currency: string;
  amount: number;
  amount_captured: number;
  amount_applied: number;
  amount_disputed: number;
  payer_name: string;
  by_buyer: boolean;
  share: number | null;
  reference: string;
  provider_reference: string;
  failure_code: string;
  created_at: string;
  succeeded_at: string | null;
  refunds: Array<Refund>;
}

/** PaymentRequestIn of the API. */
export interface PaymentRequestIn {
  message?: string | null;
  expires_in?: number | null;
  split?: SplitIn | null;
  metadata?: Record<string, unknown> | null;
}

/** The payment_request to pay one order. `url`, `code` and `qr_url` are the friend's; `share_text` carries them. */
export interface PaymentRequest {
  id: string;
  order: string;
  order_reference: string;
  status: "open" | "paid" | "expired" | "cancelled";
  currency: string;
  amount: number;
  amount_paid: number;
  amount_held: number;
  metadata: Record<string, unknown>;
  created_at: string;
  expires_at: string;
  paid_at: string | null;
  closed_at: string | null;
  message: string;
  split: Split | null;
  url: string;
  code: string;
  qr_url: string;
  share_text: string;
  payments: Array<Payment>;
}

/** RFC 9457 problem details. `code` is for programs and stays the same; `detail` is for people. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  instance?: string;
  errors?: Array<Record<string, unknown>>;
}

/** RedeemIn of the API. */
export interface RedeemIn {
  code: string;
  code_verifier: string;
}

/** A refund as it stood then. */
export interface RefundData {
  id: string;
  order: string;
  order_reference: string;
  payment_request: string;
  payment: string;
  status: "requested" | "submitted" | "succeeded" | "failed" | "withdrawn" | "returned_elsewhere";
  reason: "merchant" | "late" | "duplicate" | "surplus" | "underfunded" | "mismatch";
  external: boolean;
  note: string;
  currency: string;
  amount: number;
  reference: string;
  merchant_reference: string;
  failure_code: string;
  created_at: string;
  succeeded_at: string | null;
  closed_at: string | null;
  returned_how: string;
}

/** RefundIn of the API. */
export interface RefundIn {
  amount?: number | null;
  lines?: Array<RefundedLineIn> | null;
  reason?: string | null;
  merchant_reference?: string | null;
}

/** Money on its way back to its payer, or there already. */
export interface Refund {
  id: string;
  order: string;
  order_reference: string;
  payment_request: string;
  payment: string;
  status: "requested" | "submitted" | "succeeded" | "failed" | "withdrawn" | "returned_elsewhere";
  reason: "merchant" | "late" | "duplicate" | "surplus" | "underfunded" | "mismatch";
  external: boolean;
  note: string;
  currency: string;
  amount: number;
  reference: string;
  merchant_reference: string;
  failure_code: string;
  created_at: string;
  succeeded_at: string | null;
  closed_at: string | null;
  returned_how: string;
}

/** So much of a line goes back. */
export interface RefundedLineIn {
  line: number;
  quantity?: number | string | null;
}

/** What goes back, to each who paid. */
export interface Refunds {
  amount: number;
  refunds: Array<Refund>;
}

/** A request that somebody reported, and its buyer, who cannot ask friends until support decides. */
export interface ReportedData {
  id: string;
  order: string;
  order_reference: string;
  status: "open" | "paid" | "expired" | "cancelled";
  currency: string;
  amount: number;
  amount_paid: number;
  amount_held: number;
  metadata: Record<string, unknown>;
  created_at: string;
  expires_at: string;
  paid_at: string | null;
  closed_at: string | null;
  buyer_id: string;
  reports: number;
}

/** A payment request as it stood then. */
export interface RequestData {
  id: string;
  order: string;
  order_reference: string;
  status: "open" | "paid" | "expired" | "cancelled";
  currency: string;
  amount: number;
  amount_paid: number;
  amount_held: number;
  metadata: Record<string, unknown>;
  created_at: string;
  expires_at: string;
  paid_at: string | null;
  closed_at: string | null;
}

/** RotateIn of the API. */
export interface RotateIn {
  overlap?: number | null;
}

export type Screen = "desktop" | "phone" | "wechatpay" | "alipay" | "other_app";

/** What one person is to pay: all of it, once. */
export interface ShareIn {
  name: string;
  amount: number;
}

/** One person's share, with the link on which it alone is paid. */
export interface Share {
  name: string;
  amount: number;
  url: string;
  paid: boolean;
}

/** Shop of the API. */
export interface Shop {
  id: string;
  name: string;
  contact: string;
  verified: boolean;
  frozen: boolean;
  request_life: number;
  return_origins: Array<string>;
  embed_origins: Array<string>;
}

/** Shown of the API. */
export interface Shown {
  method: string;
  label: string;
  provider: string;
  rail: string;
}

/** SimulateIn of the API. */
export interface SimulateIn {
  outcome?: Outcome | null;
  amount?: number | null;
  payer_name?: string | null;
}

/** SplitIn of the API. */
export interface SplitIn {
  shares?: Array<ShareIn> | null;
  max_payers?: number | null;
  min_amount?: number | null;
}

/** Split of the API. */
export interface Split {
  max_payers: number;
  min_amount: number;
  shares: Array<Share>;
}

/** A request, and what the buyer said about it. */
export interface ThankedData {
  id: string;
  order: string;
  order_reference: string;
  status: "open" | "paid" | "expired" | "cancelled";
  currency: string;
  amount: number;
  amount_paid: number;
  amount_held: number;
  metadata: Record<string, unknown>;
  created_at: string;
  expires_at: string;
  paid_at: string | null;
  closed_at: string | null;
  words: string;
  choice: string;
}

/** Withheld of the API. */
export interface Withheld {
  method: string;
  provider: string;
  reason: string;
  detail: string;
}

/** Each type of event, and what its `data` is. */
export interface EventData {
  "order.cancelled": OrderData;
  "order.changed": OrderData;
  "order.created": OrderData;
  "order.expired": OrderData;
  "order.paid": OrderData;
  "order.refund_reopened": OrderRefundData;
  "order.refunded": OrderRefundData;
  "order.reopened": OrderData;
  "payment.adopted": PaymentData;
  "payment.cancelled": PaymentData;
  "payment.created": PaymentData;
  "payment.dispute_lost": DisputeData;
  "payment.dispute_won": DisputeData;
  "payment.disputed": DisputeData;
  "payment.extended": PaymentData;
  "payment.failed": PaymentData;
  "payment.released": PaymentData;
  "payment.succeeded": PaymentData;
  "payment_request.cancelled": RequestData;
  "payment_request.changed": RequestData;
  "payment_request.considered": RequestData;
  "payment_request.created": RequestData;
  "payment_request.declined": DeclinedData;
  "payment_request.expired": RequestData;
  "payment_request.extended": RequestData;
  "payment_request.opened": RequestData;
  "payment_request.paid": RequestData;
  "payment_request.reported": ReportedData;
  "payment_request.shared": RequestData;
  "payment_request.thanked": ThankedData;
  "refund.external": RefundData;
  "refund.failed": RefundData;
  "refund.renumbered": RefundData;
  "refund.requested": RefundData;
  "refund.returned_elsewhere": RefundData;
  "refund.submitted": RefundData;
  "refund.succeeded": RefundData;
  "refund.withdrawn": RefundData;
  "webhook_endpoint.pinged": EndpointData;
}

export type EventType = keyof EventData;

/** What a webhook carries: the event, with the fields that Standard Webhooks wants. */
export type WebhookMessage = {
  [T in EventType]: Omit<Event, "type" | "data"> & { type: T; data: EventData[T]; timestamp: string };
}[EventType];
