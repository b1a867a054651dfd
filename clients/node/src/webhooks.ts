import { createHmac, timingSafeEqual } from "node:crypto";
import { WebhookRefused } from "./errors.js";
import type { WebhookMessage } from "./types.js";

export interface VerifyOptions {
  /** Seconds that a message may be old, or ahead of this machine's clock: 300. */
  tolerance?: number;
  /** What time it is, in seconds. */
  now?: number;
}

type Headers_ = Headers | Record<string, string | string[] | undefined>;

/**
 * The message, if it was signed with one of the secrets (during a rotation there are two) and is not too old; else it
 * throws WebhookRefused. `body` is what arrived, to the byte: believe nothing of a message before this gave it back.
 */
export function verify(
  body: string | Uint8Array,
  headers: Headers_,
  secrets: string | string[],
  options: VerifyOptions = {},
): WebhookMessage {
  const [id, moment, signatures] = ["id", "timestamp", "signature"].map((it) => header(headers, `webhook-${it}`));
  if (!id || !moment || !/^\d+$/.test(moment) || !signatures) {
    throw new WebhookRefused("the headers webhook-id, webhook-timestamp and webhook-signature are missing");
  }
  if (Math.abs((options.now ?? Date.now() / 1000) - Number(moment)) > (options.tolerance ?? 300)) {
    throw new WebhookRefused("the message is too old, or this machine's clock is wrong");
  }
  const sent = signatures
    .split(" ")
    .filter((it) => it.startsWith("v1,"))
    .map((it) => Buffer.from(it.slice(3)));
  for (const secret of [secrets].flat()) {
    const own = Buffer.from(createHmac("sha256", keyOf(secret)).update(`${id}.${moment}.`).update(body).digest("base64"));
    if (sent.some((it) => it.length === own.length && timingSafeEqual(it, own))) {
      return JSON.parse(typeof body === "string" ? body : new TextDecoder().decode(body)) as WebhookMessage;
    }
  }
  throw new WebhookRefused("no signature fits: the secret is another one, or the body was changed on its way");
}

function header(headers: Headers_, name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return Array.isArray(found) ? found[0] : found;
}

function keyOf(secret: string): Buffer {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  if (key.length < 16) throw new TypeError("a webhook secret is whsec_ and base64, of at least 16 bytes");
  return key;
}
