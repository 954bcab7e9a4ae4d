/**
 * The server that the environment names: a client of it, what it has answered to the digit, and what is said when it is
 * out of reach.
 */
import { PollhookClient, type PollhookError } from "../client/index.ts";
import { type Io, UsageError } from "./command.ts";

/** The texts of the last answers: a client has them parsed only, which big integers do not survive. */
const answers = new WeakMap<PollhookClient, string>();

/** The client that the environment describes. */
export function clientOf({ env }: Io): PollhookClient {
  const { POLLHOOK_URL: url, POLLHOOK_TOKEN: token } = env;
  if (!url) throw new UsageError("Set POLLHOOK_URL to where Pollhook is reached: https://…");
  if (!/^https?:\/\/./i.test(url)) throw new UsageError(`POLLHOOK_URL is no URL (https://…): ${url}`);
  if (!token) throw new UsageError("Set POLLHOOK_TOKEN to a token of yours.");
  try {
    const client: PollhookClient = new PollhookClient({
      url,
      token,
      fetch: (url, init) => fetchKept(url, init, (text) => answers.set(client, text)),
    });
    return client;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(`POLLHOOK_URL or POLLHOOK_TOKEN is wrong: ${error.message}`);
  }
}

/** What the client was answered last, on one line. */
export const answerLine = (client: PollhookClient): string =>
  // No string of JSON has a line end in it.
  (answers.get(client) ?? "").trim().replace(/\s*[\r\n]\s*/g, "");

/** Reads answers that are JSON before the client does; streams are left to it. */
async function fetchKept(url: string, init: RequestInit, keep: (text: string) => void): Promise<Response> {
  const response = await fetch(url, init);
  if (!response.ok || !/^application\/json\b/i.test(response.headers.get("content-type") ?? ""))
    return response;
  const text = await response.text();
  keep(text);
  const { status, headers } = response;
  return new Response(text, { status, headers });
}

/** The sentence that tells a person what is wrong; of a server out of reach also which, and the system's word for it. */
export function detailOf({ code, detail, cause }: PollhookError, { env }: Pick<Io, "env">): string {
  const { POLLHOOK_URL: url = "" } = env;
  if (code !== "network" || !URL.canParse(url)) return detail;
  const fault = deepest(cause);
  return `${new URL(url).origin} could not be reached${fault === null ? "" : `: ${fault}`}.`;
}

/** Of an error and its causes, the last word: `ECONNREFUSED`. */
function deepest(cause: unknown): string | null {
  if (!(cause instanceof Error)) return null;
  const { code } = cause as NodeJS.ErrnoException;
  return deepest(cause.cause) ?? code ?? cause.message;
}
