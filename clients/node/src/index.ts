export { Friendpay, type Options } from "./client.js";
export { ApiError, FriendpayError, NoAnswer, WebhookRefused } from "./errors.js";
export type * from "./types.js";
export { verify, type VerifyOptions } from "./webhooks.js";
