/**
 * Every example of the OpenAPI document, sent as it stands to what `npm start` runs, and answered with a success that the
 * document describes. Put in are the token, the simulated provider's and the receiver's origins, and ids that the calls
 * before have brought.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import document from "../../src/site/openapi.json" with { type: "json" };
import { startTrio, type Trio } from "../demo/trio.ts";
import { described } from "../support/described.ts";

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly example?: unknown;
  readonly schema: { readonly default?: unknown };
}
interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly security: readonly object[];
  readonly requestBody?: {
    readonly content: Record<string, { readonly examples: Record<string, { value: unknown }> }>;
  };
}

const OPERATIONS = new Map(
  Object.entries(document.paths as unknown as Record<string, Record<string, Operation>>).flatMap(
    ([path, methods]) =>
      Object.entries(methods).map(
        ([method, operation]) =>
          [operation.operationId, { ...operation, path, method: method.toUpperCase() }] as const,
      ),
  ),
);

let trio: Trio;
let state: string;
beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), "pollhook-examples-"));
  trio = await startTrio({ persistTo: state, provider: { invent: true } });
});
afterAll(async () => {
  await trio?.stop();
  await rm(state, { recursive: true, force: true });
});

/** The example's text with what is here in place of what stands there. */
const here = (text: string): string =>
  text
    .replaceAll("https://your-app.example.com", trio.receiver.origin)
    .replaceAll('"your-app.example.com"', JSON.stringify(new URL(trio.receiver.origin).host))
    .replaceAll("https://modelslab.com", trio.provider.origin)
    .replaceAll("$POLLHOOK_TOKEN", trio.token);

const sent = new Set<string>();

/** Sends all examples of an operation; the last answer. `ids` are path parameters. */
async function send(operationId: string, ids: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const operation = OPERATIONS.get(operationId);
  if (!operation) throw new Error(`there is no ${operationId}`);
  sent.add(operationId);
  const { method, path, parameters = [], requestBody, security } = operation;
  const examples = Object.values(
    requestBody?.content["application/json"]?.examples ?? { none: { value: undefined } },
  );
  let last: Answer | undefined;
  for (const { value } of examples) {
    const url = trio.worker.origin + placed(path, parameters, ids);
    const body = value === undefined ? undefined : here(JSON.stringify(value));
    const headers = {
      ...(security.length > 0 && { authorization: `Bearer ${trio.token}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
    };
    const response = await described(
      { method, url, body },
      await fetch(url, { method, headers, ...(body !== undefined && { body }) }),
    );
    const text = await response.text();
    expect(response.status, `${operationId}: ${text}`).toBeLessThan(300);
    last = text.startsWith("{") ? (JSON.parse(text) as Answer) : { text };
  }
  if (!last) throw new Error(`${operationId} has no example`);
  return last;
}

interface Answer {
  readonly id?: string;
  readonly text?: string;
  readonly secret?: string;
  readonly job_id?: string;
  readonly jobs?: readonly { readonly id: string }[];
  readonly operation?: { readonly id: string };
  readonly results?: readonly { readonly job?: { readonly id: string } }[];
}

function placed(
  path: string,
  parameters: readonly Parameter[],
  ids: Readonly<Record<string, string>>,
): string {
  const place = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const { example } = parameters.find((one) => one.name === name) ?? {};
    return encodeURIComponent(ids[name] ?? String(example));
  });
  const query = parameters
    .filter(({ in: where, example }) => where === "query" && example !== undefined)
    .flatMap(({ name, example }) =>
      typeof example === "object" ? Object.entries(example ?? {}) : [[name, example]],
    )
    .map(([name, value]) => [String(name), String(value)] as [string, string]);
  return query.length > 0 ? `${place}?${new URLSearchParams(query)}` : place;
}

/** Waits until the job is delivered; each look is held until something happens. */
async function over(id: string): Promise<void> {
  for (let looks = 0; looks < 30; looks++) {
    const { status } = await trio.api("GET", `/v1/jobs/${id}?wait=10`);
    if (status === "delivered") return;
  }
  throw new Error(`${id} is not delivered`);
}

it("answers the examples of the service and of secrets", async () => {
  await send("checkHealth");
  await send("readSigningSecret");
  await send("readStats");
});

it("answers the examples of destinations", async () => {
  expect((await send("putDestination")).secret).toMatch(/^whsec_/);
  for (const id of [
    "listDestinations",
    "readDestination",
    "testDestination",
    "pauseDestination",
    "resumeDestination",
  ])
    await send(id);
  expect((await send("rotateSecret")).secret).toMatch(/^whsec_/);
  await send("mintToken");
});

it("answers the examples of jobs, from the registration to the end", async () => {
  const { id = "" } = await send("registerJob");
  await send("cancelJob", { id });
  const { results = [] } = await send("registerJobs");
  const job = results[0]?.job?.id ?? "";
  await send("readJob", { id: job });
  await over(job);
  expect((await send("watchJob", { id: job })).text).toContain("event: done");
  await send("listJobs");
  await send("readEvent", { id: job });
  await send("pullEvents");
  await send("redeliverJob", { id: job });
  await send("eraseJob", { id: job });
});

it("answers the examples of operations on many jobs", async () => {
  for (const id of ["redeliverJobs", "cancelJobs"]) {
    const { operation } = await send(id);
    await send("readOperation", { id: operation?.id ?? "" });
  }
});

it.each([...OPERATIONS.keys()].filter((id) => /^(fetch|call)/.test(id)))(
  "answers the examples of the provider's API: %s",
  async (id) => {
    expect((await send(id)).job_id).toMatch(/^job_/);
  },
);

it("has sent every operation's examples", async () => {
  await send("deleteDestination");
  expect([...OPERATIONS.keys()].filter((id) => !sent.has(id))).toEqual([]);
});
