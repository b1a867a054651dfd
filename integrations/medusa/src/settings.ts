import { ContainerRegistrationKeys, Modules } from "@medusajs/framework/utils";
import type { MedusaContainer } from "@medusajs/framework/types";
import { Friendpay } from "friendpay-client";

/** What the merchant writes into medusa-config, once, beside the provider. */
export interface Options {
  /** Where friendpay is: https://pay.example */
  url: string;
  /** The shop's key at friendpay, with the rights to read, write and refund. */
  key: string;
  /** The secret of the webhook endpoint; several with commas, while one is changed. */
  secret: string;
  /** How long goods are held for a friend to pay: 24 hours. */
  hold_hours?: number;
}

/** The provider as Medusa knows it: its own name, and the `id` it was given in medusa-config. */
export const PROVIDER = "pp_friendpay_friendpay";

/** Refuses a configuration that could not work, when Medusa starts and not when the first friend pays. */
export function checked(options: Partial<Options>): Options {
  for (const name of ["url", "key", "secret"] as const) {
    if (!options[name]) throw new Error(`friendpay: the option "${name}" is missing in medusa-config.`);
  }
  return options as Options;
}

/** The provider's options, for what runs outside the payment module. */
export function optionsOf(container: MedusaContainer): Options {
  const config = container.resolve(ContainerRegistrationKeys.CONFIG_MODULE);
  const payment = config.modules?.[Modules.PAYMENT];
  const providers = typeof payment === "object" && "options" in payment ? payment.options?.providers : [];
  const ours = (providers as Array<{ id?: string; options?: Options }>).find((it) => it.id === "friendpay");
  if (!ours?.options) throw new Error('friendpay: the payment module has no provider with the id "friendpay".');
  return checked(ours.options);
}

/** A page or a webhook waits for the answer, so nobody is left waiting for half a minute where friendpay is down. */
export function clientOf(options: Options, patience = { timeout: 8_000, retries: 2 }): Friendpay {
  return new Friendpay(options.key, { baseUrl: options.url, ...patience });
}

export function holdSeconds(options: Options): number {
  return Math.round((options.hold_hours ?? 24) * 3600);
}
