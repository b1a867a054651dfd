import type { MedusaRequest, MedusaResponse } from "@medusajs/framework/http";
import { ContainerRegistrationKeys, MedusaError } from "@medusajs/framework/utils";
import { BASKET, type Basket } from "../../../../../basket";
import { languageOf } from "../../../../../language";
import { offer } from "../../../../../orders";

/** Whether the payment step of this cart shows "Ask a friend to pay", and what it is called in the buyer's language. */
export async function GET(request: MedusaRequest, response: MedusaResponse): Promise<void> {
  const query = request.scope.resolve(ContainerRegistrationKeys.QUERY);
  const { data } = await query.graph({ entity: "cart", fields: BASKET, filters: { id: request.params.id } });
  const cart = data[0] as unknown as Basket | undefined;
  if (!cart) throw new MedusaError(MedusaError.Types.NOT_FOUND, `There is no cart ${request.params.id}.`);
  const label = await offer(request.scope, cart, languageOf(request));
  response.json({ offered: label !== null, label });
}
