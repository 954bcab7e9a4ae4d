/**
 * `pollhook verify`: takes a captured callback apart. Which secret signed it, how far the clocks are apart, and, where
 * nothing fits, whether its body was changed in one of the ways in which bodies are usually changed. Asks no server.
 */
import { PollhookError, verifyWebhook, verifyWebhookText } from "../../client/index.ts";
import { CHANGES, looksRewritten } from "../body-change.ts";
import { BAD, type Command, command, OK, text, UsageError } from "../command.ts";

interface Captured {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export const verify: Command = command({
  name: "verify",
  summary: "Checks a captured callback: which secret, which clock, what differs",
  notes: `FILE is the request as text (header lines, an empty line, the body) or JSON: {"headers": {…}, "body": "…"}; - for
standard input. The secrets are read from POLLHOOK_SECRET, separated by spaces or commas.`,
  words: ["FILE"],
  options: { at: text("TIME", "when it came: 2026-11-20T12:00:00Z, or seconds since 1970 (now)") },
  examples: ['POLLHOOK_SECRET="whsec_… whsec_…" pollhook verify captured.txt --at 2026-11-20T12:00:21Z'],
  async run({ args, words: [file = ""], io }) {
    const secrets = (io.env.POLLHOOK_SECRET ?? "").split(/[\s,]+/).filter((text) => text !== "");
    if (secrets.length === 0) throw new UsageError("Set POLLHOOK_SECRET to the secret, or to several.");
    const now = args.at === undefined ? Date.now() : timeOf(args.at);
    const message = readCaptured(await io.read(file));
    await checkSecrets(message, secrets);
    const sentAt = Number(message.headers["webhook-timestamp"]) * 1000;
    const fitting = await fittingSecrets(message, secrets, sentAt);
    const fault = await faultOf(verifyWebhookText(message, secrets, { now }));
    const change = fitting.length > 0 ? null : await changeOf(message, secrets, sentAt);
    const found = {
      genuine: fault === null,
      code: fault?.code ?? null,
      detail: fault?.detail ?? null,
      event_id: message.headers["webhook-id"] ?? null,
      /** Places in POLLHOOK_SECRET, from 1. */
      secrets: fitting,
      clock_seconds: Number.isFinite(sentAt) ? Math.round((now - sentAt) / 1000) : null,
      body_change: change,
      type: fault ? null : await typeOf(message, secrets, now),
    };
    for (const line of args.json ? [JSON.stringify(found)] : linesOf(found, secrets.length)) io.out(line);
    return found.genuine ? OK : BAD;
  },
});

type Found = {
  readonly [Name in "code" | "detail" | "event_id" | "body_change" | "type"]: string | null;
} & { readonly genuine: boolean; readonly secrets: readonly number[]; readonly clock_seconds: number | null };

function linesOf(found: Found, count: number): string[] {
  const { clock_seconds: seconds } = found;
  return [
    found.genuine
      ? `genuine: ${found.type ?? "no standard event"}`
      : `refused: ${found.code}: ${found.detail}`,
    `event    ${found.event_id ?? "none"}`,
    `secret   ${found.secrets.length > 0 ? `${found.secrets.join(", ")} of ${count}` : `none of ${count}`}`,
    `clock    ${seconds === null ? "no time" : `${Math.abs(seconds)} s ${seconds < 0 ? "before it was sent" : "after it was sent"}`}`,
    ...(found.body_change ? [`body     ${found.body_change}`] : []),
  ];
}

/** Epoch ms. */
function timeOf(text: string): number {
  const time = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  if (!Number.isNaN(time)) return time;
  throw new UsageError("--at must be a time such as 2026-11-20T12:00:00Z, or seconds since 1970.");
}

/** One that is malformed says nothing of the message. */
async function checkSecrets(message: Captured, secrets: readonly string[]): Promise<void> {
  const faults = await Promise.all(secrets.map((secret) => faultOf(verifyWebhookText(message, secret))));
  const place = faults.findIndex((fault) => fault?.code === "webhook_secret_invalid") + 1;
  if (place > 0)
    throw new UsageError(`Secret ${place} in POLLHOOK_SECRET is malformed: it must be whsec_ and base64.`);
}

/** Places, from 1, of the secrets that fit, whatever the clock says. */
async function fittingSecrets(message: Captured, secrets: readonly string[], now: number): Promise<number[]> {
  const faults = await Promise.all(
    secrets.map((secret) => faultOf(verifyWebhookText(message, secret, { now }))),
  );
  return faults.flatMap((fault, index) => (fault === null ? [index + 1] : []));
}

async function changeOf(message: Captured, secrets: readonly string[], now: number): Promise<string | null> {
  for (const [name, undo] of CHANGES) {
    const body = undo(message.body);
    if (body === null || body === message.body) continue;
    if ((await faultOf(verifyWebhookText({ ...message, body }, secrets, { now }))) === null) return name;
  }
  return looksRewritten(message.body)
    ? "it looks parsed and written again, unless the secret is another"
    : null;
}

const typeOf = (message: Captured, secrets: readonly string[], now: number): Promise<string | null> =>
  verifyWebhook(message, secrets, { now }).then(
    ({ type }) => type,
    () => null,
  );

const faultOf = (verified: Promise<unknown>): Promise<PollhookError | null> =>
  verified.then(
    () => null,
    (error: unknown) => {
      if (error instanceof PollhookError) return error;
      throw error;
    },
  );

function readCaptured(text: string): Captured {
  const json = asJson(text);
  if (json) {
    const headers = Object.entries(json.headers).map(([name, value]) => [name.toLowerCase(), String(value)]);
    return { headers: Object.fromEntries(headers), body: json.body };
  }
  const [, head, body] = /^(.*?)\r?\n\r?\n(.*)$/s.exec(text) ?? [];
  if (head === undefined || body === undefined)
    throw new UsageError("The file must have header lines, an empty line and the body, or be JSON.");
  const headers = head.split(/\r?\n/).flatMap((line) => {
    const [, name, value] = /^([!-9;-~]+):\s*(.*?)\s*$/.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [[name.toLowerCase(), value] as const];
  });
  return { headers: Object.fromEntries(headers), body };
}

function asJson(text: string): { headers: object; body: string } | null {
  try {
    const value = JSON.parse(text) as { headers?: unknown; body?: unknown } | null;
    const { headers, body } = value ?? {};
    return typeof headers === "object" && headers !== null && typeof body === "string"
      ? { headers, body }
      : null;
  } catch {
    return null;
  }
}
