/**
 * The package's `./client`: for browsers, React Native, Node, Deno and Workers. Only `fetch` and, to verify webhooks,
 * WebCrypto; whatever is not imported can be left out of a bundle.
 */
export type { Sleep } from "./abort.ts";
export { type EventsOptions, PollhookClient } from "./client.ts";
export type {
  Destination,
  DestinationFlow,
  DestinationInput,
  RotatedSecret,
  SavedDestination,
  TestResult,
} from "./destination-types.ts";
export { Destinations, type RotateOptions } from "./destinations.ts";
export { type ClientCode, type ErrorCode, PollhookError, type ServerCode } from "./error.ts";
export type { FollowOptions } from "./feed.ts";
export type { WaitOptions } from "./follow.ts";
export { type DoneData, isOver, type JobEvent, type OutcomeData } from "./job-event.ts";
export type { TokenSource } from "./token.ts";
export type { CallOptions, ClientOptions, Fetch } from "./transport.ts";
export type * from "./types.ts";
export {
  type VerifiedEvent,
  type VerifiedText,
  type VerifyOptions,
  verifyWebhook,
  verifyWebhookText,
  type WebhookEvent,
  type WebhookRequest,
  type WebhookSecret,
} from "./webhook.ts";
