import type { MedusaContainer } from "@medusajs/framework/types";
import { sweep } from "../settlement";

export default async function (container: MedusaContainer): Promise<void> {
  await sweep(container);
}

export const config = { name: "friendpay", schedule: "*/5 * * * *" };
