/** Everything this package throws by itself. */
export class FriendpayError extends Error {
  override name = "FriendpayError";
}

/**
 * No answer came, after all retries. Whether the call did its work is unknown: repeat it with the same
 * `idempotencyKey`, and it does it at most once.
 */
export class NoAnswer extends FriendpayError {
  override name = "NoAnswer";

  constructor(
    message: string,
    readonly idempotencyKey: string | undefined,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The message is not friendpay's, or too old: answer 400 and do nothing. */
export class WebhookRefused extends FriendpayError {
  override name = "WebhookRefused";
}

/** What the API says of an error (RFC 9457). */
export interface ProblemDetails {
  code?: string;
  detail?: string;
  errors?: Array<{ field: string; code: string; message: string }>;
}

/**
 * The API refused. `code` is for programs and stays the same; `message` is for people; `fields` says what is wrong with
 * which field, as code by its name (`lines.0.quantity`). `requestId` is for support.
 */
export class ApiError extends FriendpayError {
  override name = "ApiError";
  readonly code: string;
  readonly detail: string;
  readonly fields: Record<string, string>;

  constructor(
    readonly status: number,
    readonly problem: ProblemDetails,
    readonly requestId: string,
    readonly retryAfter: number,
  ) {
    const code = problem.code ?? `http_${status}`;
    super(`${code} (${status}): ${problem.detail ?? ""}`);
    this.code = code;
    this.detail = problem.detail ?? "";
    this.fields = Object.fromEntries((problem.errors ?? []).map((it) => [it.field, it.code]));
  }
}
