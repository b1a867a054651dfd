import type { SubscriberArgs, SubscriberConfig } from "@medusajs/framework";
import { giveUp } from "../settlement";

/** An order that something else than the desk cancelled: it ends at friendpay too, and what was paid for it goes back. */
export default async function ({ event, container }: SubscriberArgs<{ id: string }>): Promise<void> {
  await giveUp(container, event.data.id);
}

export const config: SubscriberConfig = { event: "order.canceled" };
