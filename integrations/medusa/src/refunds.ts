import { ContainerRegistrationKeys, Modules } from "@medusajs/framework/utils";
import type { MedusaContainer } from "@medusajs/framework/types";
import type { Refund } from "friendpay-client";
import { clientOf, optionsOf } from "./settings";
import { find, tellDesk } from "./shop";

interface Noted {
  id: string;
  created_at: string | Date;
}

interface Notes {
  updateRefunds(changes: Array<{ id: string; metadata: Record<string, unknown> }>): Promise<unknown>;
}

/**
 * What became of money on its way back: noted in the metadata of Medusa's refund, and said under the bell where somebody has to
 * do something: it failed, or it was sent at friendpay's desk, which Medusa's books do not know.
 */
export async function follow(container: MedusaContainer, told: string): Promise<void> {
  const friendpay = clientOf(optionsOf(container));
  const refund = await friendpay.getRefund(told);
  if (refund.reason !== "merchant") return;
  const { medusa_order: id, medusa_session } = (await friendpay.getOrder(refund.order)).metadata;
  if (typeof id !== "string") return;
  const placed = await find(container, id);
  if (!placed) return;
  const { order, session } = placed;
  const [, count] = refund.merchant_reference.split(`${medusa_session}-`);
  if (Number(count) && session.payment) await note(container, session.payment.id, Number(count), refund);
  const what = `${money(refund)} of order ${order.display_id}`;
  const key = `friendpay-${refund.id}-${refund.status}`;
  if (refund.status === "failed") await tellDesk(container, "Refund failed", `${what} are still owed: send them again at friendpay.`, key);
  else if (!count && refund.status === "succeeded") await tellDesk(container, "Refund at friendpay", `${what} went back there.`, key);
}

/** Medusa's refunds of a payment, in the order they were made, are what the count in the reference means. */
async function note(container: MedusaContainer, payment: string, count: number, refund: Refund): Promise<void> {
  const query = container.resolve(ContainerRegistrationKeys.QUERY);
  const { data } = await query.graph({ entity: "refund", fields: ["id", "created_at"], filters: { payment_id: payment } });
  const made = (data as unknown as Noted[]).sort((a, b) => +new Date(a.created_at) - +new Date(b.created_at))[count - 1];
  if (!made) return;
  const metadata = { friendpay_refund: refund.id, friendpay_status: refund.status };
  await (container.resolve(Modules.PAYMENT) as unknown as Notes).updateRefunds([{ id: made.id, metadata }]);
}

function money({ amount, currency }: Refund): string {
  const format = new Intl.NumberFormat("en", { style: "currency", currency, currencyDisplay: "code" });
  return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}
