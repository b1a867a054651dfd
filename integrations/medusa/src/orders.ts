import { ContainerRegistrationKeys, MedusaError } from "@medusajs/framework/utils";
import type { MedusaContainer } from "@medusajs/framework/types";
import type { Order, OrderIn } from "friendpay-client";
import { agreed, sums, type Basket } from "./basket";
import { orderOfSession } from "./remote";
import { clientOf, holdSeconds, optionsOf } from "./settings";
import { alone, find, refused, words } from "./shop";

/**
 * The address of the buyer's page at friendpay for an order that waits for a friend. The first call places it there; every
 * other one, at the same time or later, finds it. An order that could not be asked for stays held until its time is over.
 */
export async function ask(container: MedusaContainer, id: string, page: { return_url: string; locale: string }) {
  const options = optionsOf(container);
  const friendpay = clientOf(options);
  return alone(container, id, async () => {
    const placed = await find(container, id);
    if (!placed) throw new MedusaError(MedusaError.Types.NOT_FOUND, `Order ${id} is not to be paid by a friend.`);
    const { order, session } = placed;
    const known = await orderOfSession(friendpay, session.id);
    if (known) return known.checkout_url;
    if (order.status === "canceled") throw refused("This order is cancelled.");
    const money = sums(order);
    if (!agreed(money, session)) throw refused(`friendpay: the payment of ${id} is not of the order's total.`);
    const body: OrderIn = {
      ...money,
      reference: String(order.display_id),
      buyer: buyerOf(order),
      metadata: { medusa_order: id, medusa_session: session.id },
      return_url: page.return_url,
      locale: order.locale || page.locale,
      expires_in: holdSeconds(options),
      payment_request: {},
    };
    return (await friendpay.request<Order>("POST", "/orders", { body, idempotencyKey: session.id })).checkout_url;
  });
}

/** friendpay's name for asking a friend, where it is to be offered for this cart; null where not, or where nobody answers. */
export async function offer(container: MedusaContainer, cart: Basket, locale: string): Promise<string | null> {
  const logger = container.resolve(ContainerRegistrationKeys.LOGGER);
  try {
    const body = { ...sums(cart), buyer: buyerOf(cart), locale: cart.locale || locale };
    const { shown } = await clientOf(optionsOf(container), { timeout: 3_000, retries: 0 }).weighOffers(body);
    return shown.find((it) => it.method === "friend")?.label ?? null;
  } catch (error) {
    logger.error(`friendpay: not offered for ${cart.id}: ${words(error)}`);
    return null;
  }
}

function buyerOf(basket: Basket): { id: string; name: string } {
  return { id: basket.customer_id ?? basket.id, name: basket.shipping_address?.first_name || "Guest" };
}
