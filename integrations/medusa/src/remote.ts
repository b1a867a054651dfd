import { ApiError, type Friendpay, type Order } from "friendpay-client";

/** friendpay's order for a payment session of Medusa. */
export async function orderOfSession(friendpay: Friendpay, session: string): Promise<Order | undefined> {
  for await (const order of friendpay.listOrders({ metadata: { medusa_session: session }, limit: 1 })) return order;
  return undefined;
}

/**
 * End an order at friendpay; parts that friends gave go back. "paid" says that it is paid instead, and stays so. Nobody can
 * pay after "closed", and what comes late all the same goes back by itself: only then may the shop give its own order up.
 */
export async function close(friendpay: Friendpay, order: string): Promise<"closed" | "paid"> {
  try {
    await friendpay.cancelOrder(order);
    return "closed";
  } catch (error) {
    if (error instanceof ApiError && error.code === "order_paid") return "paid";
    throw error;
  }
}
