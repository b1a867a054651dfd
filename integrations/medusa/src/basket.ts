import { MathBN, MedusaError } from "@medusajs/framework/utils";
import type { BigNumberInput } from "@medusajs/framework/types";
import type { AdjustmentIn, LineIn } from "friendpay-client";
import { rounded } from "./money";

interface TaxLine {
  code: string;
  description?: string | null;
  rate: BigNumberInput;
}

interface Adjustment {
  code?: string | null;
}

interface Priced {
  tax_lines?: TaxLine[] | null;
  adjustments?: Adjustment[] | null;
}

/** A cart or an order, with the fields of `BASKET`. */
export interface Basket {
  id: string;
  currency_code: string;
  locale?: string | null;
  customer_id?: string | null;
  total: BigNumberInput;
  subtotal: BigNumberInput;
  item_subtotal: BigNumberInput;
  discount_total: BigNumberInput;
  discount_subtotal: BigNumberInput;
  tax_total: BigNumberInput;
  original_shipping_total: BigNumberInput;
  original_shipping_subtotal: BigNumberInput;
  credit_line_total?: BigNumberInput | null;
  shipping_address?: { first_name?: string | null } | null;
  shipping_methods?: Array<Priced & { name: string }> | null;
  items: Array<
    Priced & {
      title: string;
      product_title?: string | null;
      variant_title?: string | null;
      product_type?: string | null;
      thumbnail?: string | null;
      quantity: BigNumberInput;
      is_tax_inclusive: boolean;
      subtotal: BigNumberInput;
      original_total: BigNumberInput;
    }
  >;
}

/** What a query has to bring of a cart or an order. */
export const BASKET = [
  "id", "currency_code", "locale", "customer_id", "total", "subtotal", "item_subtotal", "discount_total", "discount_subtotal",
  "tax_total", "original_shipping_total", "original_shipping_subtotal", "credit_line_total", "shipping_address.first_name",
  "shipping_methods.*", "shipping_methods.tax_lines.*", "shipping_methods.adjustments.*",
  "items.*", "items.tax_lines.*", "items.adjustments.*",
];

/** What friendpay is told of the money: lines, adjustments and the sum that they have to add up to. */
export interface Sums {
  currency: string;
  lines: LineIn[];
  adjustments: AdjustmentIn[];
  amount: number;
}

/**
 * A basket as the shop's receipt has it. Where prices contain the tax, so do ours, and the tax is told below the sum; else
 * it comes on top. Medusa rounds a basket once, at the end: what rounding each part makes of that is told as `rounding`,
 * less than one minor unit for each part. Sums that are further apart are refused.
 */
export function sums(basket: Basket): Sums {
  const currency = basket.currency_code.toUpperCase();
  const inclusive = basket.items.every((item) => item.is_tax_inclusive);
  const money = (amount: BigNumberInput | null | undefined) => rounded(amount ?? 0, currency);
  const lines = basket.items.map((item): LineIn => ({
    name: [item.product_title ?? item.title, item.variant_title].filter(Boolean).join(", "),
    quantity: MathBN.convert(item.quantity).isInteger() ? Number(item.quantity) : String(item.quantity),
    amount: money(inclusive ? item.original_total : item.subtotal),
    ...(item.product_type ? { category: item.product_type } : {}),
    ...(item.thumbnail?.startsWith("https://") ? { image_url: item.thumbnail } : {}),
  }));
  const shipping = basket.shipping_methods ?? [];
  const priced: Priced[] = [...basket.items, ...shipping];
  const codes = unique(priced.flatMap((it) => it.adjustments ?? []).map((it) => it.code ?? ""));
  const taxes = unique(priced.flatMap((it) => it.tax_lines ?? []).map((it) => `${it.description ?? it.code} ${it.rate}%`));
  const adjustments: AdjustmentIn[] = [];
  const add = (kind: AdjustmentIn["kind"], name: string, amount: number, more: Partial<AdjustmentIn> = {}) => {
    if (amount) adjustments.push({ kind, name, amount, ...more });
  };
  add("discount", codes || "Discount", -money(inclusive ? basket.discount_total : basket.discount_subtotal));
  add(
    "shipping",
    unique(shipping.map((it) => it.name)) || "Shipping",
    money(inclusive ? basket.original_shipping_total : basket.original_shipping_subtotal),
  );
  add("tax", taxes || "Tax", money(basket.tax_total), inclusive ? { included: true } : {});
  add("credit", "Store credit", -money(basket.credit_line_total));
  const amount = money(basket.total);
  const parts = [...lines, ...adjustments.filter((it) => !it.included)];
  const rounding = amount - parts.reduce((sum, part) => sum + (part.amount ?? 0), 0);
  if (Math.abs(rounding) > parts.length) {
    throw new MedusaError(
      MedusaError.Types.INVALID_DATA,
      `friendpay: ${basket.id} does not add up: its total is ${amount}, its parts make ${amount - rounding} (${currency}, minor unit).`,
    );
  }
  add("rounding", "Rounding", rounding);
  return { currency, lines, adjustments, amount };
}

/** What the session will take has to be what the friend is asked for, to the minor unit. */
export function agreed(sums: Sums, session: { amount: BigNumberInput; currency_code: string }): boolean {
  return session.currency_code.toUpperCase() === sums.currency && rounded(session.amount, sums.currency) === sums.amount;
}

function unique(names: string[]): string {
  return [...new Set(names.filter(Boolean))].join(", ");
}
