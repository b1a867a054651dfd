import { randomUUID } from "node:crypto";
import { ApiError, NoAnswer, type ProblemDetails } from "./errors.js";
import { Operations, type Query } from "./operations.js";

const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;
const AGAIN = [408, 429, 500, 502, 503, 504];

export interface Options {
  /** Where your friendpay is, such as https://pay.example. */
  baseUrl?: string;
  /** Milliseconds for each try. */
  timeout?: number;
  /** How often a call is tried again. */
  retries?: number;
  fetch?: typeof globalThis.fetch;
}

export interface CallOptions {
  query?: Query;
  body?: unknown;
  idempotencyKey?: string;
}

/** `const friendpay = new Friendpay("sk_test_…", { baseUrl: "https://pay.example" })` */
export class Friendpay extends Operations {
  readonly #key: string;
  readonly #root: string;
  readonly #timeout: number;
  readonly #retries: number;
  readonly #fetch: typeof globalThis.fetch;

  constructor(key: string, options: Options = {}) {
    super();
    this.#key = key;
    this.#root = `${(options.baseUrl ?? "http://127.0.0.1:8000").replace(/\/+$/, "")}/api/v1`;
    this.#timeout = options.timeout ?? 30_000;
    this.#retries = options.retries ?? 4;
    this.#fetch = options.fetch ?? globalThis.fetch;
  }

  /**
   * Any call, such as one repeated after NoAnswer with its `idempotencyKey`. A POST has one Idempotency-Key for all its
   * tries, so that it does its work once, even where the first answer was lost after the server had done it.
   */
  async request<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
    const key = options.idempotencyKey ?? (method === "POST" ? randomUUID() : undefined);
    const headers: Record<string, string> = {
      authorization: `Bearer ${this.#key}`,
      "user-agent": "friendpay-client-node/0.1.0",
    };
    if (key) headers["idempotency-key"] = key;
    if (options.body !== undefined) headers["content-type"] = "application/json";
    const init = { method, headers, body: options.body === undefined ? undefined : JSON.stringify(options.body) };
    for (let tries = 1; ; tries += 1) {
      const pause = Math.min(FIRST_WAIT * 2 ** (tries - 1), LONGEST_WAIT) * (0.5 + Math.random() / 2);
      let response: Response;
      let text: string;
      try {
        const signal = AbortSignal.timeout(this.#timeout);
        response = await this.#fetch(this.#root + path + asked(options.query), { ...init, signal, redirect: "manual" });
        text = await response.text();
      } catch (error) {
        if (tries > this.#retries) throw new NoAnswer(`${method} ${path}: ${error}`, key, { cause: error });
        await sleep(pause);
        continue;
      }
      if (response.status === 204 || (method === "DELETE" && tries > 1 && response.status === 404)) return undefined as T;
      if (response.ok) return JSON.parse(text) as T;
      const problem = problemOf(text);
      const retryAfter = Number(response.headers.get("retry-after")) || 0;
      const busy = response.status === 409 && problem.code === "idempotency_key_in_use";
      if (tries > this.#retries || !(busy || AGAIN.includes(response.status))) {
        const id = response.headers.get("request-id") ?? response.headers.get("x-request-id") ?? "";
        throw new ApiError(response.status, problem, id, retryAfter);
      }
      await sleep(Math.min(Math.max(retryAfter * 1000, pause), LONGEST_WAIT));
    }
  }

  protected call<T>(
    method: string, path: string, query: Query = {}, body?: unknown, idempotencyKey?: string,
  ): Promise<T> {
    return this.request(method, path, { query, body, idempotencyKey });
  }

  protected async *pages<T>(path: string, query: Query): AsyncIterable<T> {
    let after: Query[string] = query.after;
    for (;;) {
      const options = { query: { ...query, after } };
      const page = await this.request<{ data: T[]; has_more: boolean }>("GET", path, options);
      for (const item of page.data) yield item;
      after = (page.data.at(-1) as { id: string } | undefined)?.id;
      if (!page.has_more) return;
    }
  }
}

/** `{ metadata: { table: "7" } }` is asked as `metadata[table]=7`. */
function asked(query: Query = {}): string {
  const said = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (typeof value === "object" && value !== null) {
      for (const [key, its] of Object.entries(value)) said.set(`${name}[${key}]`, String(its));
    } else if (value !== undefined && value !== null) {
      said.set(name, String(value));
    }
  }
  return said.size ? `?${said}` : "";
}

function problemOf(text: string): ProblemDetails {
  try {
    const problem: unknown = JSON.parse(text);
    return typeof problem === "object" && problem !== null ? problem : {};
  } catch {
    return {}; // of something in between, not of the API
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
