import { MathBN } from "@medusajs/framework/utils";
import type { BigNumberInput } from "@medusajs/framework/types";

/** Medusa counts in whole currency, exactly and with any number of decimals; money moves in the minor unit. */
export function rounded(amount: BigNumberInput, currency: string): number {
  return MathBN.mult(amount, 10 ** decimals(currency)).decimalPlaces(0, 4).toNumber();
}

function decimals(currency: string): number {
  const format = new Intl.NumberFormat("en", { style: "currency", currency });
  return format.resolvedOptions().maximumFractionDigits ?? 2;
}
