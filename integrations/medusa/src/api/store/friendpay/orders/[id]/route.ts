import type { MedusaRequest, MedusaResponse } from "@medusajs/framework/http";
import { MedusaError } from "@medusajs/framework/utils";
import { ApiError, NoAnswer } from "friendpay-client";
import { languageOf } from "../../../../../language";
import { ask } from "../../../../../orders";
import { refused } from "../../../../../shop";

/** The page where the buyer of this order gets the link for her friend; she comes back to `return_url`. */
export async function POST(request: MedusaRequest<{ return_url?: string }>, response: MedusaResponse): Promise<void> {
  const return_url = request.body?.return_url;
  if (typeof return_url !== "string") throw new MedusaError(MedusaError.Types.INVALID_DATA, "Send the order's page as return_url.");
  const page = { return_url, locale: languageOf(request) };
  const url = await ask(request.scope, request.params.id ?? "", page).catch((error: unknown) => {
    if (error instanceof ApiError) throw new MedusaError(MedusaError.Types.NOT_ALLOWED, error.detail, error.code);
    if (error instanceof NoAnswer) throw refused("Your order is placed. The link for your friend cannot be made just now: try again soon.");
    throw error;
  });
  response.json({ url });
}
