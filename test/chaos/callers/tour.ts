/**
 * One deliberate call for each answer that the document says a caller can get and chance alone would find late: so that what
 * is counted as covered does not depend on luck.
 */

import { type Call, setHeader, validCall } from "./call.ts";
import { OPERATIONS, type Operation } from "./document.ts";
import { FAULTY, HANGING, LIMITED_KEY } from "./fields.ts";
import type { Identity } from "./identities.ts";
import { Members } from "./json-tree.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** Of the bodies that are refused for their size alone: what they say that they have. */
const ANNOUNCED_BYTES = 11 * 1024 * 1024;
/** A tenant has no more destinations. */
const MOST_DESTINATIONS = 1_000;
const FULL_TENANT = "hoarder";

/** The calls, all but the one that takes as long as a poll may. */
export async function tourOf(world: World, random: Random): Promise<Call[]> {
  const nobody = world.impostors[0];
  const restricted = await identity(world, "acme", "");
  const full = fullOf(world);
  if (!nobody) throw new Error("There is no impostor.");
  return OPERATIONS.flatMap((operation) => {
    const by = (caller: Identity, change: (call: Call) => void = () => {}): Call =>
      withCaller(world, random, operation, caller, change);
    if (operation.id === "checkHealth") return [by(full)];
    const calls = [by(full), by(nobody), by(restricted), by(full, wrongQuery), by(full, wrongId)];
    if (operation.method === "GET" || operation.method === "DELETE") return calls;
    const refused = [malformed, otherType, tooLarge, unknownField];
    return [...calls, ...refused.map((change) => by(full, change))];
  });
}

/** Fetches that the provider fails at: with an answer that is none, and with none at all. */
export function failingCalls(world: World, random: Random): Call[] {
  const full = fullOf(world);
  return OPERATIONS.filter(({ id }) => id.startsWith("fetch")).flatMap((operation) =>
    [FAULTY[0], HANGING].map((request) =>
      withCaller(world, random, operation, full, (call) => nameRequest(call, request)),
    ),
  );
}

/** Calls that disagree with one before, and those with a key of which the provider takes no call. */
export function conflictingCalls(world: World, random: Random): Call[] {
  const full = fullOf(world);
  const { planted, peers } = world;
  return OPERATIONS.filter(({ asProvider }) => asProvider).flatMap((operation, i) => {
    const say = (request: string, members: Record<string, string>): Call =>
      withCaller(world, random, operation, full, (call) => {
        nameRequest(call, `${planted.canary(full)}${request}-${i}`, members);
        setHeader(call, "idempotency-key", `tour-${i}`);
      });
    const hook = (name: string) => ({ webhook: `${peers.receiver}/hook/${planted.canary(full)}${name}` });
    return [
      say("conflict", hook("one")),
      say("conflict", hook("other")),
      say("limited", { provider_key: planted.secret(LIMITED_KEY) }),
    ];
  });
}

/** The request in the path or in the body, at the endpoint that the document has as its example. */
function nameRequest(call: Call, request: string, members: Readonly<Record<string, string>> = {}): void {
  const { operation, identity } = call;
  const example = (name: string): string =>
    String(operation.parameters.find((parameter) => parameter.name === name)?.example ?? "");
  call.path = operation.path
    .replace("{request_id}", request)
    .replace(/\{(\w+)\}/g, (_, name: string) => example(name));
  const inBody = operation.path.endsWith("/fetch");
  const name = operation.path.includes("faceswap") ? "id" : "request_id";
  call.tree = new Members([
    ["key", identity.token],
    ...(inBody ? [[name, request] as [string, string]] : []),
    ...Object.entries(members),
  ]);
}

function fullOf({ identities }: World): Identity {
  const [full] = identities;
  if (!full) throw new Error("There is no identity.");
  return full;
}

/** One who watches the job, and one who waits for the tenant's events. */
export function waitingCalls(world: World, random: Random, jobId: string): Call[] {
  const full = fullOf(world);
  return OPERATIONS.filter(({ id }) => id === "watchJob" || id === "pullEvents").map((operation) =>
    withCaller(world, random, operation, full, (call) => {
      call.path = operation.path.replace("{id}", jobId);
      call.query =
        operation.id === "pullEvents"
          ? [
              ["after", "latest"],
              ["wait", "20"],
            ]
          : [];
      call.headers = [["authorization", `Bearer ${full.token}`]];
    }),
  );
}

/** One destination more than a tenant may have. */
export async function hoard(world: World, random: Random): Promise<Call[]> {
  const hoarder = await identity(world, FULL_TENANT);
  const put = OPERATIONS.find(({ id }) => id === "putDestination");
  if (!put) throw new Error("The document has no putDestination.");
  return Array.from({ length: MOST_DESTINATIONS + 1 }, (_, i) =>
    withCaller(world, random, put, hoarder, (call) => {
      call.path = `/v1/destinations/d-${i}`;
      call.tree = new Members([["url", `${world.peers.receiver}/hook`]]);
    }),
  );
}

async function identity(world: World, tenant: string, scope?: string): Promise<Identity> {
  const token = await world.peers.node.token(tenant, { jti: tenant, ...(scope !== undefined && { scope }) });
  return world.adopt(token);
}

function withCaller(
  world: World,
  random: Random,
  operation: Operation,
  caller: Identity,
  change: (call: Call) => void,
): Call {
  const call = validCall(world, random, operation, caller);
  change(call);
  call.spoiled.push("on the tour");
  return call;
}

function wrongQuery(call: Call): void {
  call.query = [["wait", "x"]];
}

function wrongId(call: Call): void {
  if (call.operation.id.startsWith("callBy")) call.path = call.path.replace(/^\/api\/v\d/, "/api/v2");
  else call.path = call.operation.path.replace("{id}", `job_${"a".repeat(32)}`).replace("{name}", "nowhere");
  call.path = call.path.replace(/\{\w+\}/g, "x");
  call.tree = call.tree && new Members(call.operation.asProvider ? [["key", call.identity.token]] : []);
}

function malformed(call: Call): void {
  setHeader(call, "content-type", "application/json");
  call.bytes = Buffer.from("{");
}

function otherType(call: Call): void {
  setHeader(call, "content-type", "text/plain");
  call.bytes = Buffer.from("{}");
}

/** It says so, and sends nothing: whoever announces too much is refused at once. */
function tooLarge(call: Call): void {
  setHeader(call, "content-type", "application/json");
  call.headers.push(["content-length", String(ANNOUNCED_BYTES)]);
  call.tree = null;
  call.bytes = null;
  call.isAlone = true;
}

function unknownField(call: Call): void {
  setHeader(call, "content-type", "application/json");
  const { operation, identity } = call;
  call.tree = new Members(
    operation.asProvider
      ? [
          ["key", identity.token],
          ["webhook_format", "other"],
        ]
      : [["nothing", 1]],
  );
}
