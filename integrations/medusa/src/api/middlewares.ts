import {
  defineMiddlewares,
  type MedusaNextFunction,
  type MedusaRequest,
  type MedusaResponse,
} from "@medusajs/framework/http";
import { giveUp } from "../settlement";
import { refused } from "../shop";

export default defineMiddlewares({
  routes: [
    { matcher: "/hooks/friendpay", methods: ["POST"], bodyParser: { preserveRawBody: true } },
    { matcher: "/admin/orders/:id/cancel", methods: ["POST"], middlewares: [beforeCancelling] },
  ],
});

/** The shop's desk cancels an order: before its goods are let go, nobody may be able to pay it any more. */
async function beforeCancelling(request: MedusaRequest, response: MedusaResponse, next: MedusaNextFunction): Promise<void> {
  const cancelling = async () => {
    const done = new Promise<void>((resolve) => response.once("close", resolve));
    next();
    await done;
  };
  if ((await giveUp(request.scope, request.params.id ?? "", cancelling)) === "paid") {
    throw refused("A friend has just paid this order, so it is confirmed. Cancel it again, and the money goes back.");
  }
}
