import type { MedusaRequest } from "@medusajs/framework/http";

/** The language the buyer reads, as her browser says. A cart that has a language of its own goes before. */
export function languageOf(request: MedusaRequest): string {
  return request.get("accept-language")?.split(/[,;]/)[0]?.trim() || "en";
}
