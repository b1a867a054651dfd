import { ContainerRegistrationKeys, MedusaError, Modules } from "@medusajs/framework/utils";
import type { BigNumberInput, MedusaContainer } from "@medusajs/framework/types";
import { BASKET, type Basket } from "./basket";
import { PROVIDER } from "./settings";

interface Payment {
  id: string;
  captured_at: string | Date | null;
}

/** Medusa's payment session with us: one for each order. */
export interface Session {
  id: string;
  provider_id: string;
  amount: BigNumberInput;
  currency_code: string;
  payment?: Payment | null;
}

export interface PlacedOrder extends Basket {
  display_id: number;
  status: string;
  payment_collections?: Array<{ payment_sessions?: Session[] | null; payments?: Payment[] | null }> | null;
}

const ORDER = [
  ...BASKET,
  "display_id",
  "status",
  "payment_collections.payments.*",
  "payment_collections.payment_sessions.*",
  "payment_collections.payment_sessions.payment.*",
];

export interface Placed {
  order: PlacedOrder;
  session: Session;
}

/** An order that a friend is to pay, or paid; undefined where there is none, or where it was to be paid otherwise. */
export async function find(container: MedusaContainer, id: string): Promise<Placed | undefined> {
  const query = container.resolve(ContainerRegistrationKeys.QUERY);
  const { data } = await query.graph({ entity: "order", fields: ORDER, filters: { id } });
  const order = data[0] as unknown as PlacedOrder | undefined;
  const sessions = order?.payment_collections?.flatMap((it) => it.payment_sessions ?? []) ?? [];
  const session = sessions.find((it) => it?.provider_id === PROVIDER);
  return order && session ? { order, session } : undefined;
}

/** One after the other for each order, in all processes of the shop that share Medusa's locking module. */
export function alone<T>(container: MedusaContainer, id: string, work: () => Promise<T>): Promise<T> {
  return container.resolve(Modules.LOCKING).execute(`friendpay:${id}`, work, { timeout: 30 });
}

/** A word to the people at the shop's desk, under the bell; the same word is not said twice. */
export async function tellDesk(container: MedusaContainer, title: string, description: string, key: string): Promise<void> {
  const data = { title, description };
  const word = { to: "", channel: "feed", template: "admin-ui", data, idempotency_key: key };
  container.resolve(ContainerRegistrationKeys.LOGGER).warn(`friendpay: ${title}: ${description}`);
  await container.resolve(Modules.NOTIFICATION).createNotifications(word);
}

export function refused(sentence: string): MedusaError {
  return new MedusaError(MedusaError.Types.NOT_ALLOWED, sentence);
}

/** What an error says; those of Medusa's workflows are no `Error`. */
export function words(error: unknown): string {
  const { message } = (error ?? {}) as { message?: unknown };
  return typeof message === "string" ? message : String(error);
}
