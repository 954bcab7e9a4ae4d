/**
 * Callback URLs through every route that takes one, as a caller sends them. What is refused must be refused with its
 * field named, and must leave everything as it was; of what is accepted, the answer has the URL as WHATWG writes it.
 */
import { inLanes } from "../../support/lanes.ts";
import type { AcceptedCase } from "../../webhook/targets/accepted.ts";
import type { RefusedCase } from "../../webhook/targets/refused.ts";
import { shown } from "../../webhook/targets/verdicts.ts";

/** Whoever calls: over a socket, or the Worker in this very runtime. */
export interface Caller {
  /** A token of a tenant that has nothing yet. */
  readonly token: string;
  ask(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly body: unknown }>;
}

export interface Tried {
  /** How often each route was tried. */
  readonly routes: ReadonlyMap<string, number>;
  /** One line for each answer that was another. */
  readonly complaints: readonly string[];
}

const LANES = 6;
const BATCH = 100;
const GOOD = "https://example.com/hook";
const KEY = "sk-routes-51c7";
const KEPT = "kept";
/** Far off: no job of these is polled while they are tried. */
const ETA_SECONDS = 6_000;

type Fields = Readonly<Record<string, unknown>>;
const job = (request_id: string, callback_url: string | null): Fields => ({
  ...{ endpoint: "v3", request_id, callback_url, eta: ETA_SECONDS, deadline_seconds: 86_400, key: KEY },
});

interface Route {
  readonly name: string;
  readonly field: string;
  send(
    caller: Caller,
    url: string,
    there: There,
  ): Promise<{ readonly status: number; readonly body: unknown }>;
}

/** What is there before: two jobs and a destination. */
interface There {
  readonly bare: string;
  readonly called: string;
}

/** All that take one URL; a batch takes many. */
export const ROUTES: readonly Route[] = [
  {
    name: "POST /v1/jobs",
    field: "callback_url",
    send: ({ ask }, url) => ask("POST", "/v1/jobs", job("new", url)),
  },
  {
    name: "POST /v1/jobs, a job without a callback",
    field: "callback_url",
    send: ({ ask }, url) => ask("POST", "/v1/jobs", job("bare", url)),
  },
  {
    name: "POST /v1/jobs, a job with a callback",
    field: "callback_url",
    send: ({ ask }, url) => ask("POST", "/v1/jobs", job("called", url)),
  },
  {
    name: "POST /v1/jobs/{id}/redeliver",
    field: "callback_url",
    send: ({ ask }, url, { called }) => ask("POST", `/v1/jobs/${called}/redeliver`, { callback_url: url }),
  },
  {
    name: "PUT /v1/destinations/{name}, a new one",
    field: "url",
    send: ({ ask }, url) => ask("PUT", "/v1/destinations/new", { url }),
  },
  {
    name: "PUT /v1/destinations/{name}, one that is there",
    field: "url",
    send: ({ ask }, url) => ask("PUT", `/v1/destinations/${KEPT}`, { url, headers: {} }),
  },
  {
    name: "POST /api/v3/fetch/{id}",
    field: "webhook",
    send: ({ ask, token }, webhook) =>
      ask("POST", "/api/v3/fetch/70001", { key: token, webhook, provider_key: KEY }),
  },
  {
    name: "POST /api/v6/images/text2img",
    field: "webhook",
    send: ({ ask, token }, webhook) =>
      ask("POST", "/api/v6/images/text2img", { key: token, webhook, provider_key: KEY, prompt: "x" }),
  },
];
const IN_BATCH = "POST /v1/jobs/batch";

/** Sends each URL through each route. */
export async function tryRefused(caller: Caller, cases: readonly RefusedCase[]): Promise<Tried> {
  const routes = new Map<string, number>();
  const complaints: string[] = [];
  const there = {
    bare: await idOf(caller, job("bare", null)),
    called: await idOf(caller, job("called", GOOD)),
  };
  await caller.ask("PUT", `/v1/destinations/${KEPT}`, { url: GOOD });
  const before = await everything(caller, there);
  for (const route of ROUTES) {
    // In the provider's form an empty webhook is none.
    const sent = cases.filter(({ url }) => route.field !== "webhook" || url !== "");
    const wrong = await inLanes(sent, LANES, async ({ url }) => {
      const { status, body } = await route.send(caller, url, there);
      const said = isRefusal(route.field, status, body);
      return said ? [] : [`${route.name} answers ${status} to ${shown(url)}: ${JSON.stringify(body)}`];
    });
    routes.set(route.name, sent.length);
    complaints.push(...wrong.flat());
  }
  complaints.push(...(await batched(caller, cases, (i) => `new-${i}`, refusedInBatch)));
  routes.set(IN_BATCH, cases.length);
  const after = await everything(caller, there);
  if (after !== before) complaints.push(`Something changed: it was ${before}, and is ${after}`);
  return { routes, complaints };
}

/** Registers each URL, one by one and in batches, and erases the jobs again. */
export async function tryAccepted(caller: Caller, cases: readonly AcceptedCase[]): Promise<Tried> {
  const indexed = cases.map((accepted, i) => ({ ...accepted, i }));
  const alone = await inLanes(indexed, LANES, async ({ url, as, i }) => {
    const { status, body } = await caller.ask("POST", "/v1/jobs", job(`alone-${i}`, url));
    return judgeAccepted(status, body as Fields, { url, as });
  });
  const complaints = [
    ...alone.flat(),
    ...(await batched(
      caller,
      cases,
      (i) => `batch-${i}`,
      ({ status, job }, accepted) => judgeAccepted(Number(status), (job ?? {}) as Fields, accepted),
    )),
  ];
  const listed = await inLanes(
    ["alone", "batch"].flatMap((how) => cases.map((_, i) => `${how}-${i}`)),
    LANES,
    (id) => idOf(caller, job(id, null)),
  );
  await inLanes(listed, LANES, (id) => caller.ask("DELETE", `/v1/jobs/${id}`));
  return {
    routes: new Map([
      ["POST /v1/jobs", cases.length],
      [IN_BATCH, cases.length],
    ]),
    complaints,
  };
}

function judgeAccepted(
  status: number,
  { callback_url }: Fields,
  { url, as }: { readonly url: string; readonly as?: string | undefined },
): string[] {
  if (status !== 202) return [`${shown(url)} is answered with ${status}`];
  return as === undefined || as === callback_url ? [] : [`${shown(url)} becomes ${callback_url}, not ${as}`];
}

async function batched<Case extends { readonly url: string }>(
  { ask }: Caller,
  cases: readonly Case[],
  name: (i: number) => string,
  judge: (result: Fields, item: Case) => string[],
): Promise<string[]> {
  const lines: string[] = [];
  for (let from = 0; from < cases.length; from += BATCH) {
    const some = cases.slice(from, from + BATCH);
    const jobs = some.map(({ url }, i) => job(name(from + i), url));
    const { body } = await ask("POST", "/v1/jobs/batch", { jobs });
    const { results } = body as { results: Fields[] };
    if (results.length !== some.length)
      lines.push(`A batch of ${some.length} has ${results.length} results.`);
    lines.push(...some.flatMap((item, i) => judge(results[i] ?? {}, item)));
  }
  return lines;
}

const refusedInBatch = ({ status, problem }: Fields, { url }: { readonly url: string }): string[] =>
  isRefusal("callback_url", Number(status), problem)
    ? []
    : [`${IN_BATCH} answers ${status} to ${shown(url)}: ${JSON.stringify(problem)}`];

/** 422 that names the field, in the words of the native API or of the provider's. */
function isRefusal(field: string, status: number, body: unknown): boolean {
  const { code, field: named, status: word, message } = (body ?? {}) as Fields;
  const isNamed =
    field === "webhook"
      ? word === "error" && String(message).startsWith("webhook ")
      : code === "target_refused" && named === field;
  return status === 422 && isNamed;
}

async function idOf({ ask }: Caller, registration: Fields): Promise<string> {
  const { status, body } = await ask("POST", "/v1/jobs", registration);
  const { id } = body as { id?: string };
  if (id === undefined) throw new Error(`A registration was answered with ${status}.`);
  return id;
}

/** All that the tenant has, as text. */
async function everything({ ask }: Caller, { bare, called }: There): Promise<string> {
  const paths = [`/v1/jobs/${bare}`, `/v1/jobs/${called}`, "/v1/destinations"];
  const answers = await Promise.all(paths.map((path) => ask("GET", path)));
  // The list is told of a job a little later, so of it only what should not be there counts.
  const { body } = await ask("GET", "/v1/jobs?limit=100");
  const others = (body as { jobs: Fields[] }).jobs.filter(({ id }) => id !== bare && id !== called);
  return JSON.stringify([answers.map(({ body }) => body), others]);
}
