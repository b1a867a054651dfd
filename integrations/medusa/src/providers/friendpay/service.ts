import { AbstractPaymentProvider, MedusaError, PaymentActions, PaymentSessionStatus } from "@medusajs/framework/utils";
import type {
  AuthorizePaymentInput,
  AuthorizePaymentOutput,
  CancelPaymentInput,
  CapturePaymentInput,
  DeletePaymentInput,
  GetPaymentStatusInput,
  GetPaymentStatusOutput,
  InitiatePaymentInput,
  InitiatePaymentOutput,
  PaymentSessionStatus as Status,
  ProviderWebhookPayload,
  RefundPaymentInput,
  RefundPaymentOutput,
  RetrievePaymentInput,
  UpdatePaymentInput,
  WebhookActionResult,
} from "@medusajs/framework/types";
import { ApiError, verify, type Friendpay, type Order } from "friendpay-client";
import { rounded } from "../../money";
import { close, orderOfSession } from "../../remote";
import { checked, clientOf, type Options } from "../../settings";

type Data = Record<string, unknown>;

/**
 * Medusa's payment, as friendpay sees it. friendpay's order is placed after Medusa's (src/orders.ts), with its number; it
 * is found again by the payment session that it names in its metadata, so nothing has to be remembered in between.
 */
export default class FriendpayProvider extends AbstractPaymentProvider<Options> {
  static override identifier = "friendpay";
  readonly #friendpay: Friendpay;
  readonly #secrets: string[];

  static override validateOptions(options: Partial<Options>): void {
    checked(options);
  }

  constructor(container: Record<string, unknown>, options: Options) {
    super(container, options);
    this.#friendpay = clientOf(options);
    this.#secrets = options.secret.split(",");
  }

  /** Nobody is asked yet: a buyer who looks at the method has not chosen it. */
  async initiatePayment({ data }: InitiatePaymentInput): Promise<InitiatePaymentOutput> {
    const session_id = String(data?.session_id ?? "");
    return { id: session_id, status: PaymentSessionStatus.PENDING, data: { session_id } };
  }

  /** The order is placed and its goods are held; it counts as authorized when a friend has paid. */
  async authorizePayment({ data }: AuthorizePaymentInput): Promise<AuthorizePaymentOutput> {
    const order = await this.#order(data);
    const paid = order?.status === "paid";
    return {
      status: paid ? PaymentSessionStatus.AUTHORIZED : PaymentSessionStatus.PENDING_AUTHORIZATION,
      data: { ...data },
    };
  }

  /** The friend's money is with the shop already; this only says whether it is. */
  async capturePayment({ data }: CapturePaymentInput): Promise<{ data: Data }> {
    const order = await this.#order(data);
    if (order?.status !== "paid") throw refused("Nobody has paid yet, so there is nothing to capture.");
    return { data: { ...data } };
  }

  /** Ends what is open. Money that came in the meantime is never lost: a paid order refuses. */
  async cancelPayment({ data }: CancelPaymentInput): Promise<{ data: Data }> {
    const order = await this.#order(data);
    if (order && (await close(this.#friendpay, order.id)) === "paid") {
      throw refused("A friend has paid this order. Refund it instead.");
    }
    return { data: { ...data } };
  }

  async deletePayment(input: DeletePaymentInput): Promise<{ data: Data }> {
    return this.cancelPayment(input);
  }

  /**
   * Money back to who paid. Refunds of a payment are counted, and the count is friendpay's `merchant_reference`, which is used
   * once: where the answer to one was lost, the next try finds it and does not send the money twice.
   */
  async refundPayment({ data, amount }: RefundPaymentInput): Promise<RefundPaymentOutput> {
    const order = await this.#order(data);
    if (!order) throw refused("friendpay knows no payment for this order.");
    const refunded = Array.isArray(data?.refunded) ? data.refunded : [];
    const wanted = rounded(amount, order.currency);
    const merchant_reference = `${order.metadata.medusa_session}-${refunded.length + 1}`;
    try {
      await this.#friendpay.refundOrder(order.id, { amount: wanted, merchant_reference });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.code !== "reference_used") throw refused(error.detail);
      let gone = 0;
      for await (const refund of this.#friendpay.listRefunds({ merchant_reference })) gone += refund.amount;
      if (gone !== wanted) {
        throw refused(`${gone} ${order.currency} (minor unit) went back before, unheard of here. Refund that amount first.`);
      }
    }
    return { data: { ...data, refunded: [...refunded, wanted] } };
  }

  async retrievePayment({ data }: RetrievePaymentInput): Promise<{ data: Data }> {
    return { data: { ...(await this.#order(data)) } };
  }

  /** What is asked for cannot be changed while friends may be paying it; a changed cart gets a session of its own. */
  async updatePayment({ data }: UpdatePaymentInput): Promise<{ data: Data }> {
    return { data: { ...data } };
  }

  async getPaymentStatus({ data }: GetPaymentStatusInput): Promise<GetPaymentStatusOutput> {
    const order = await this.#order(data);
    return { status: order ? STATUS[order.status] : PaymentSessionStatus.PENDING };
  }

  /**
   * What a verified webhook means. It is only believed that something happened: what, is asked. Medusa's own address
   * answers before it works; use /hooks/friendpay, which answers when it is done.
   */
  async getWebhookActionAndData({ rawData, headers }: ProviderWebhookPayload["payload"]): Promise<WebhookActionResult> {
    const message = verify(rawData, headers as Record<string, string>, this.#secrets);
    const order = message.order ? await this.#friendpay.getOrder(message.order) : null;
    const session_id = order?.metadata.medusa_session;
    if (order?.status !== "paid" || typeof session_id !== "string") return { action: PaymentActions.NOT_SUPPORTED };
    return { action: PaymentActions.AUTHORIZED, data: { session_id, amount: 0 } };
  }

  /** By the session alone: the rest of `data` may be a stranger's, who opened the session with it. */
  async #order(data: Data | undefined): Promise<Order | undefined> {
    return typeof data?.session_id === "string" ? orderOfSession(this.#friendpay, data.session_id) : undefined;
  }
}

const STATUS: Record<Order["status"], Status> = {
  awaiting_payment: PaymentSessionStatus.PENDING_AUTHORIZATION,
  paid: PaymentSessionStatus.CAPTURED,
  cancelled: PaymentSessionStatus.CANCELED,
  expired: PaymentSessionStatus.CANCELED,
};

function refused(sentence: string): MedusaError {
  return new MedusaError(MedusaError.Types.NOT_ALLOWED, sentence);
}
