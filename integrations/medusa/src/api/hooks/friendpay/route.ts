import type { MedusaRequest, MedusaResponse } from "@medusajs/framework/http";
import { ContainerRegistrationKeys } from "@medusajs/framework/utils";
import { verify, WebhookRefused } from "friendpay-client";
import { follow } from "../../../refunds";
import { clientOf, optionsOf } from "../../../settings";
import { settle } from "../../../settlement";
import { words } from "../../../shop";

/**
 * friendpay's webhooks. The message is only believed to say that something happened; what, is asked. It is answered when the
 * work is done: what fails here comes again, so none is lost while the shop is down.
 */
export async function POST(request: MedusaRequest, response: MedusaResponse): Promise<void> {
  const options = optionsOf(request.scope);
  try {
    const message = verify(request.rawBody as Buffer, request.headers, options.secret.split(","));
    if (message.type.startsWith("refund.")) await follow(request.scope, message.object);
    else if (message.order) await settle(request.scope, await clientOf(options).getOrder(message.order));
    response.sendStatus(204);
  } catch (error) {
    if (error instanceof WebhookRefused) {
      response.sendStatus(401);
      return;
    }
    request.scope.resolve(ContainerRegistrationKeys.LOGGER).error(`friendpay: a webhook comes again: ${words(error)}`);
    response.sendStatus(503);
  }
}
