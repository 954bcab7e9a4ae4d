/**
 * A bad answer: how it is written on the wire, and what must become of a job whose provider, or receiver, gives it once
 * and behaves from then on.
 */
import type { RawAnswer } from "../raw-server.ts";
import type { Script } from "../script.ts";

export type Group =
  | "status line"
  | "headers"
  | "framing"
  | "coding"
  | "text"
  | "JSON"
  | "waits"
  | "echo of the key"
  | "connection";

/** What the poll that got it is in the timeline, and with that, how the job goes on. */
export type PollEnd =
  /** Nothing was learned: asked again, which brings the success. */
  | { readonly kind: "again"; readonly reason: string }
  /** The same, but no sooner than at the deadline. */
  | { readonly kind: "at the deadline"; readonly reason: string }
  /** Still at work, or doubted: asked again. */
  | { readonly kind: "doubted"; readonly result: "pending" | "empty" | "not_found" }
  | { readonly kind: "failed"; readonly reason: string }
  /** It is the answer; `json` is what the event must hold of it, byte for byte. */
  | { readonly kind: "succeeded"; readonly json: string };

/** What the attempt that got it is in the timeline. */
export type AttemptEnd =
  | { readonly kind: "delivered" }
  /** Sent again on schedule: the same event, which is then accepted. */
  | { readonly kind: "again"; readonly reason: string }
  /** Sent again, but only a day later. */
  | { readonly kind: "in a day" }
  | { readonly kind: "gone" };

export interface BadAnswer extends RawAnswer {
  readonly name: string;
  readonly group: Group;
  /** Without it, it is not given by a provider. */
  readonly provider?: PollEnd;
  readonly receiver?: AttemptEnd;
  /** Where it races with the request: what may become of it as well. */
  readonly raced?: { readonly provider: PollEnd; readonly receiver: AttemptEnd };
  /** Only a time limit ends it. */
  readonly isSlow?: true;
  /** It has far more to say than may be kept. */
  readonly isBomb?: true;
  /** It comes in many pieces, or makes for a large event. */
  readonly isLong?: true;
  /** The event that the receiver gets is larger than what the sockets between hold. */
  readonly hasLargeEvent?: true;
  /** The key that the job is registered with; one of its own unless given. */
  readonly key?: string;
}

/** A busy machine may need more than one poll, or attempt, for it: it is given as often as it is asked for. */
export const isHeavy = ({ isBomb, isLong }: BadAnswer): boolean => isBomb === true || isLong === true;

export const again = (reason: string) => ({ kind: "again", reason }) as const;
export const NETWORK = again("network");
export const TIMEOUT = again("timeout");
export const NOT_JSON = again("not_json");
export const HTTP_ERROR = again("http_error");
export const failed = (reason: string) => ({ kind: "failed", reason }) as const;
export const TOO_LARGE = failed("output_too_large");
export const DELIVERED = { kind: "delivered" } as const;
export const succeeded = (json: string) => ({ kind: "succeeded", json }) as const;
export const PENDING = { kind: "doubted", result: "pending" } as const;

/** What a bad answer says where its content is not what is bad about it. */
export const SUCCESS = '{"status":"success","output":["https://cdn.example/of-the-bad-answer.png"]}';
export const SUCCEEDED = succeeded(SUCCESS);
export const LENGTH = `Content-Length: ${SUCCESS.length}`;

/** An HTTP message: its first line, its header lines, its body. */
export const message = (line: string, fields: readonly string[] = [LENGTH], body: string = SUCCESS): string =>
  `${[line, ...fields].join("\r\n")}\r\n\r\n${body}`;

export const ok = (fields: readonly string[] = [LENGTH], body: string = SUCCESS): string =>
  message("HTTP/1.1 200 OK", ["Content-Type: application/json", ...fields], body);

export const send = (text: string | Uint8Array): Script => [{ send: text }];
export const sendAndClose = (text: string | Uint8Array): Script => [{ send: text }, { close: "end" }];

/** A body that came whole, as it stands. */
export const whole = (
  body: string | Uint8Array,
  status = "200 OK",
  fields: readonly string[] = [],
): Script => [
  {
    send: `HTTP/1.1 ${[status, "Content-Type: application/json", ...fields, `Content-Length: ${Buffer.byteLength(body)}`].join("\r\n")}\r\n\r\n`,
  },
  { send: body },
];
