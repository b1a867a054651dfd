import { ContainerRegistrationKeys, MedusaError, PaymentActions, PaymentSessionStatus } from "@medusajs/framework/utils";
import type { MedusaContainer } from "@medusajs/framework/types";
import { cancelOrderWorkflow, processPaymentWorkflow } from "@medusajs/medusa/core-flows";
import { ApiError, type Order } from "friendpay-client";
import { close, orderOfSession } from "./remote";
import { clientOf, holdSeconds, optionsOf, PROVIDER } from "./settings";
import { alone, find, tellDesk, words, type Placed } from "./shop";

/**
 * Do what friendpay says of an order of ours: confirm a paid one, release one that ended. May be called at any time and by
 * several at once; what has happened already does not happen again.
 */
export async function settle(container: MedusaContainer, told: Order): Promise<void> {
  const id = told.metadata.medusa_order;
  if (typeof id !== "string") return;
  const friendpay = clientOf(optionsOf(container));
  await alone(container, id, async () => {
    const [truth, placed] = [await friendpay.getOrder(told.id), await find(container, id)];
    if (!placed) return;
    if (truth.status === "paid") await confirm(container, placed, truth);
    else if (truth.status !== "awaiting_payment") await release(container, placed);
  });
}

/**
 * Give an order up by `giving`, after it was ended at friendpay. Where a friend was quicker it is confirmed instead: "paid" says
 * that it stays, and nothing was given up. Nobody else touches the order meanwhile.
 */
export async function giveUp(
  container: MedusaContainer,
  id: string,
  giving: (placed?: Placed) => Promise<void> = async (placed) => placed && release(container, placed),
): Promise<"given up" | "paid"> {
  const friendpay = clientOf(optionsOf(container));
  return alone(container, id, async () => {
    const placed = await find(container, id);
    const known = placed && !placed.session.payment ? await orderOfSession(friendpay, placed.session.id) : undefined;
    if (placed && known && (await close(friendpay, known.id)) === "paid") {
      await confirm(container, placed, known);
      return "paid";
    }
    await giving(placed);
    return "given up";
  });
}

/** Orders whose webhook did not come or could not be worked on, and those whose time is over by the shop's own clock. */
export async function sweep(container: MedusaContainer, now = new Date()): Promise<void> {
  const options = optionsOf(container);
  const friendpay = clientOf(options);
  for (const { session, order, since } of await waiting(container)) {
    try {
      const known = await orderOfSession(friendpay, session);
      const over = now.getTime() - since.getTime() > holdSeconds(options) * 1000;
      if (known && known.status !== "awaiting_payment") await settle(container, known);
      else if (over) await giveUp(container, order);
    } catch (error) {
      const logger = container.resolve(ContainerRegistrationKeys.LOGGER);
      logger.error(`friendpay: order ${order} is looked at again later: ${words(error)}`);
    }
  }
}

interface Found {
  id: string;
  created_at: string;
  payment_session?: { id: string };
  payment_collection?: { order?: { id: string; status: string } | null } | null;
}

/** Placed orders that are neither paid nor given up, and paid ones that a crash kept from being captured. */
async function waiting(container: MedusaContainer): Promise<Array<{ session: string; order: string; since: Date }>> {
  const query = container.resolve(ContainerRegistrationKeys.QUERY);
  const order = ["payment_collection.order.id", "payment_collection.order.status"];
  const { data: open } = await query.graph({
    entity: "payment_session",
    fields: ["id", "created_at", ...order],
    filters: { provider_id: PROVIDER, status: PaymentSessionStatus.PENDING_AUTHORIZATION },
  });
  const { data: halfway } = await query.graph({
    entity: "payment",
    fields: ["id", "created_at", "payment_session.id", ...order],
    filters: { provider_id: PROVIDER, captured_at: null, canceled_at: null },
  });
  return ([...open, ...halfway] as unknown as Found[]).flatMap((it) => {
    const placed = it.payment_collection?.order;
    if (!placed || placed.status === "canceled") return [];
    return [{ session: it.payment_session?.id ?? it.id, order: placed.id, since: new Date(it.created_at) }];
  });
}

async function confirm(container: MedusaContainer, { order, session }: Placed, truth: Order): Promise<void> {
  if (session.payment?.captured_at) return;
  if (order.status === "canceled") return giveBack(container, order.display_id, session.id, truth);
  const data = { session_id: session.id, amount: session.amount as number };
  await processPaymentWorkflow(container).run({ input: { action: PaymentActions.SUCCESSFUL, data } });
  container.resolve(ContainerRegistrationKeys.LOGGER).info(`friendpay: order ${order.display_id} is paid.`);
}

/** Somebody cancelled the order past us, and a friend paid in the same moment. */
async function giveBack(container: MedusaContainer, number: number, session: string, truth: Order): Promise<void> {
  try {
    await clientOf(optionsOf(container)).refundOrder(truth.id, {
      reason: "The order was cancelled before the payment arrived.",
      merchant_reference: `${session}-cancelled`,
    });
  } catch (error) {
    if (!(error instanceof ApiError && error.code === "reference_used")) throw error;
  }
  await tellDesk(container, `Order ${number}`, "It was paid after it was cancelled; the money goes back.", `${session}-cancelled`);
}

/** Goods that nobody paid for go back on sale. Only after friendpay has said that nobody can pay any more. */
async function release(container: MedusaContainer, { order, session }: Placed): Promise<void> {
  const paid = order.payment_collections?.some((it) => it.payments?.some((payment) => payment?.captured_at));
  if (order.status === "canceled" || session.payment || paid) return;
  try {
    await cancelOrderWorkflow(container).run({ input: { order_id: order.id } });
  } catch (error) {
    if ((error as { type?: string }).type !== MedusaError.Types.NOT_ALLOWED) throw error;
    await tellDesk(container, `Order ${order.display_id}`, `It was not paid in time. ${words(error)}`, `${session.id}-unpaid`);
  }
}
