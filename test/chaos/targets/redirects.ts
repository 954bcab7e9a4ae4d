/**
 * Answers that lead elsewhere, on every way out of Pollhook: callbacks, destinations and pings, polls, fetch calls that are
 * handed on, generation calls. None may be followed: of each exchange the server sees the requests that Pollhook says it
 * made and no other, and nobody ever connects to where it was led.
 */
import { inLanes } from "../../support/lanes.ts";
import type { PollhookNode } from "../node.ts";
import { Redirector } from "./redirector.ts";

const BODY = '{"status":"success","output":["https://example.com/a.png"]}';
/** What a strict parser takes for no HTTP: then the connection is over. */
const NO_HTTP = /^(with a bare|folded)/;
const LANES = 12;
const LOOK_SECONDS = 10;
/** A wait that is renewed until something has come; a busy machine takes its time. */
const LIMIT_MS = 60_000;

interface Led {
  readonly what: string;
  readonly status: number;
  readonly lines: readonly string[];
}

const to = (what: string, status: number, ...lines: readonly string[]): Led => ({ what, status, lines });

/** `SELF` becomes the target of the request itself. */
const answers = (trap: number): readonly Led[] => {
  const away = `http://127.0.0.1:${trap}`;
  return [
    ...[301, 302, 303, 307, 308].map((status) => to(`${status}`, status, `Location: ${away}/trap`)),
    to("to the same server", 302, "Location: SELF?again"),
    to("with a changed method", 303, "Location: SELF?again"),
    to("to itself", 308, "Location: SELF"),
    to("to a query", 302, "Location: ?again"),
    to("to nothing", 302, "Location: "),
    to("without a place", 302),
    to("relative to the scheme", 307, `Location: //127.0.0.1:${trap}/trap`),
    to("to a name of the loopback", 302, `Location: http://localhost:${trap}/trap`),
    to("to a mapped address", 302, `Location: http://[::ffff:127.0.0.1]:${trap}/trap`),
    to("to one number", 302, `Location: http://2130706433:${trap}/trap`),
    to("to TLS", 302, `Location: https://127.0.0.1:${trap}/trap`),
    to("with user info", 302, `Location: http://user:secret@127.0.0.1:${trap}/trap`),
    to("behind white space", 302, `Location: \t  ${away}/trap`),
    to("in small letters", 302, `location: ${away}/trap`),
    to("to two places", 302, `Location: ${away}/one`, `Location: ${away}/two`),
    to("with an encoded CRLF", 302, `Location: ${away}/%0d%0aX-Injected:%201`),
    to("with another header behind CRLF", 302, `Location: ${away}/\r\nSet-Cookie: a=b`),
    to("with a bare line feed", 302, `Location: ${away}/\nX-Injected: 1`),
    to("with a bare carriage return", 302, `Location: ${away}/\rX-Injected: 1`),
    to("folded", 302, `Location:\r\n ${away}/trap`),
    to("multiple choices", 300, `Location: ${away}/trap`, `Link: <${away}/trap>; rel="alternate"`),
    to("not modified", 304, `Location: ${away}/trap`),
    to("use a proxy", 305, `Location: ${away}/trap`),
    to("switch the proxy", 306, `Location: ${away}/trap`),
    to("created elsewhere", 201, `Location: ${away}/trap`, `Content-Location: ${away}/trap`),
    to("accepted, look there", 202, `Location: ${away}/trap`, "Retry-After: 0"),
    to("refresh", 200, `Refresh: 0; url=${away}/trap`),
    to("linked", 200, `Link: <${away}/trap>; rel="canonical", <${away}/trap>; rel="preload"`),
    to("another service", 200, `Alt-Svc: h2="127.0.0.1:${trap}"; ma=60, http/1.1="127.0.0.1:${trap}"`),
    to("a challenge", 401, `Location: ${away}/trap`, 'WWW-Authenticate: Basic realm="x"'),
    to("an unavailable one", 503, `Location: ${away}/trap`, `Refresh: 0; url=${away}/trap`),
  ];
};

const asText = ({ status, lines }: Led, target: string): string => {
  const body = status === 304 ? "" : BODY;
  const head = [
    `HTTP/1.1 ${status} Led`,
    ...lines.map((line) => line.replace("SELF", target)),
    "content-type: application/json",
    `content-length: ${body.length}`,
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
};

interface Exchange {
  readonly call: (method: string, path: string, body?: unknown) => Promise<Record<string, unknown>>;
  readonly token: string;
  readonly origin: string;
  readonly mark: string;
}
/** How many requests Pollhook says it made, and what it made of the answers. */
interface Said {
  readonly requests: number;
  readonly outcome: string;
}
type Way = (exchange: Exchange) => Promise<Said>;
type Entry = { readonly type: string; readonly result?: string; readonly reason?: string };

/** Waits for the job's first entry of this type, and then stops the job; counts what it had done by then. */
async function firstOf(type: "poll" | "attempt", { call }: Exchange, registered: unknown): Promise<Said> {
  const { id } = registered as { id: string };
  const limit = Date.now() + LIMIT_MS;
  let job = await call("GET", `/v1/jobs/${id}`);
  const entries = () => (job.timeline as Entry[]).filter((entry) => entry.type === type);
  while (entries().length === 0 && Date.now() < limit)
    job = await call("GET", `/v1/jobs/${id}?wait=${LOOK_SECONDS}`);
  await call("POST", `/v1/jobs/${id}/cancel`);
  job = await call("GET", `/v1/jobs/${id}`);
  const [first] = entries();
  const requests = Number(type === "poll" ? job.polls : job.attempts);
  return { requests, outcome: first?.reason ?? first?.result ?? "none" };
}

const outcomeOf = (message: unknown): string =>
  /redirect/.test(String(message))
    ? "redirect"
    : /could not be reached/.test(String(message))
      ? "network"
      : "answered";

const SUCCESS = { status: "success", output: ["https://example.com/a.png"] };

export const WAYS: Readonly<Record<string, Way>> = {
  callback: async (exchange) => {
    const { call, origin, mark } = exchange;
    const response = { ...SUCCESS, id: mark };
    const callback_url = `${origin}/${mark}`;
    return firstOf(
      "attempt",
      exchange,
      await call("POST", "/v1/jobs", { endpoint: "v3", response, callback_url }),
    );
  },
  destination: async (exchange) => {
    const { call, origin, mark } = exchange;
    await call("PUT", `/v1/destinations/${mark}`, { url: `${origin}/${mark}`, retry_schedule: [] });
    const response = { ...SUCCESS, id: mark };
    const body = { endpoint: "v3", response, destination: mark };
    return firstOf("attempt", exchange, await call("POST", "/v1/jobs", body));
  },
  ping: async ({ call, origin, mark }) => {
    await call("PUT", `/v1/destinations/${mark}`, { url: `${origin}/${mark}` });
    const { reason } = await call("POST", `/v1/destinations/${mark}/test`);
    return { requests: 1, outcome: String(reason ?? "delivered") };
  },
  poll: async (exchange) =>
    firstOf(
      "poll",
      exchange,
      await exchange.call("POST", "/v1/jobs", { endpoint: "v3", request_id: exchange.mark, eta: 1 }),
    ),
  ask: async ({ call, token, mark }) => {
    const { message } = await call("POST", `/api/v3/fetch/${mark}`, { key: token });
    return { requests: 1, outcome: outcomeOf(message) };
  },
  generate: async ({ call, token, mark }) => {
    const { message } = await call("POST", "/api/v6/images/text2img", { key: token, prompt: mark });
    return { requests: 1, outcome: outcomeOf(message) };
  },
};

export interface Followed {
  /** Exchanges by way. */
  readonly exchanges: number;
  readonly answers: number;
  /** Requests beyond those that Pollhook says it made, and connections to where it was led. */
  readonly followed: number;
  readonly complaints: readonly string[];
}

/** Tries each answer, or every `step`th, on every way. `start` brings the node up with this provider. */
export async function tryRedirects(
  node: PollhookNode,
  start: (providerOrigin: string) => Promise<void>,
  step = 1,
): Promise<Followed> {
  const redirector = await Redirector.start();
  try {
    const led = answers(redirector.trapPort);
    redirector.answerWith((index, target) => asText(led[index] ?? to("none", 404), target));
    const origin = `http://${redirector.host}`;
    await start(origin);
    const exchanges = led.flatMap((_, index) =>
      index % step === 0 ? Object.entries(WAYS).map(([way, go]) => ({ way, go, index })) : [],
    );
    let extra = 0;
    const complaints = await inLanes(exchanges, LANES, async ({ way, go, index }) => {
      const mark = `${way}-${index}`;
      // A tenant for each: what is learned of a bad host must not hold the next one back.
      const token = await node.token(mark);
      const call: Exchange["call"] = async (method, path, body) =>
        (await (await node.call(token, method, path, body)).json()) as Record<string, unknown>;
      const { requests, outcome } = await go({ call, token, origin, mark });
      const seen = redirector.count(mark);
      extra += Math.max(0, seen - requests);
      const { what, status } = led[index] ?? to("none", 404);
      const isRedirect = status >= 300 && status < 400;
      const isRight =
        isRedirect === (outcome === "redirect") || (NO_HTTP.test(what) && outcome === "network");
      return [
        ...(seen === requests && requests > 0
          ? []
          : [`${mark} (${what}): ${seen} requests came, ${requests} were made`]),
        ...(isRight ? [] : [`${mark} (${what}): ${status} was taken for ${outcome}`]),
      ];
    });
    const strangers = redirector.count("unmarked");
    return {
      exchanges: exchanges.length,
      answers: new Set(exchanges.map(({ index }) => index)).size,
      followed: extra + strangers + redirector.trapped,
      complaints: complaints.flat(),
    };
  } finally {
    await redirector.close();
  }
}
