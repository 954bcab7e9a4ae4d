/**
 * What must hold of every answer, whoever asked for whatever. Each fault is a sentence.
 */
import { type ProblemCode, problemStatus } from "../../../src/http/problem.ts";
import { type Operation, operationAt } from "./document.ts";
import { ALLOWED_ORIGIN } from "./head-mutations.ts";
import type { Identity } from "./identities.ts";
import { POLLUTION } from "./planted.ts";
import { type Answer, header } from "./wire.ts";
import type { World } from "./world.ts";

/** As much of a request as an answer is judged by. */
export interface Asked {
  readonly method: string;
  readonly target: string;
  readonly origin: string | undefined;
  /** As the server reads it; empty where that is no URL. */
  readonly path: string;
  /** Whose token it carries; `null`: nobody's. */
  readonly viewer: Identity | null;
  /** The whole of it as text. */
  readonly text: string;
}

const MEDIA_TYPES = ["application/json", "application/problem+json", "text/event-stream"];
/** The routes that hand a signing secret to whoever may have it. */
const HANDS_OUT_SECRETS = new Set(["readSigningSecret", "putDestination", "rotateSecret"]);
/** Of workerd itself, which refuses them before any Worker sees them: what is no HTTP, and methods that it does not know. */
export const OF_WORKERD: readonly (readonly [status: number, body: RegExp])[] = [
  [400, /^(Bad Request|invalid [\w -]+)$/],
  [414, /^URI too long$/],
  [501, /^ERROR: Unrecognized request method\.$/],
  // A Worker cannot be asked to CONNECT unless it says that it can.
  [500, /^Internal Server Error$/],
];

export const isOfWorkerd = ({ status, headers, body }: Answer, method: string): boolean =>
  !headers.some(([name]) => name === "cache-control") &&
  (status !== 500 || method === "CONNECT") &&
  OF_WORKERD.some(([known, text]) => known === status && (text.test(body) || method === "HEAD"));

/** The files beside the app are the only ones under a policy, and beside them there are only ways that lead to them. */
const isOfSite = (answer: Answer): boolean =>
  header(answer, "content-security-policy") !== undefined && answer.status < 500;

/** Where it leads has the caller's own query behind it. */
const withoutWay = (answer: Answer): Answer => ({
  ...answer,
  headers: answer.headers.filter(([name]) => name !== "location"),
});

/** All that is wrong with the answer. */
export function judge(world: World, asked: Asked, answer: Answer): string[] {
  if (isOfWorkerd(answer, asked.method)) return [];
  // A Host with a path in it leads there, and the site's files are for everybody.
  if (isOfSite(answer)) return judgeContent(world, asked, withoutWay(answer));
  const { path } = asked;
  const isProviders = /^\/api(\/|$)/.test(path);
  return [
    ...judgeStatus(world, asked, answer, isProviders),
    ...judgeForm(asked, answer, isProviders),
    ...judgeSharing(asked, answer),
    ...judgeContent(world, asked, answer),
  ];
}

function judgeStatus(
  world: World,
  { method, path, viewer, text }: Asked,
  { status, body }: Answer,
  isProviders: boolean,
): string[] {
  const faults: string[] = [];
  const operation = operationOf(method, path);
  const isFull =
    status === 503 &&
    (operation?.id === "watchJob" || operation?.id === "pullEvents") &&
    (method === "HEAD" || body.includes('"detail":"As many w'));
  const providerFailed = isProviders && (status === 502 || status === 504) && /faulty-/.test(text);
  if (status >= 500 && !isFull && !providerFailed) faults.push(`a ${status}`);
  const isDone = status >= 200 && status < 300 && method !== "OPTIONS";
  const isOpen = path === "/healthz" || path.startsWith("/hints/");
  if (isDone && viewer === null && !isOpen) faults.push("done for nobody");
  if (isDone && operation?.scope && viewer && !viewer.scopes?.includes(operation.scope))
    faults.push(`done without the scope ${operation.scope}`);
  const id = /^\/v1\/(?:jobs|operations)\/((?:job|op)_[a-z0-9]+)/.exec(path)?.[1];
  if (id !== undefined && viewer && (isDone || status === 409) && world.isForeign(id, viewer))
    faults.push("done with, or known of, what is another's");
  return faults;
}

function judgeForm({ method }: Asked, answer: Answer, isProviders: boolean): string[] {
  const { status, body, isPart } = answer;
  const type = header(answer, "content-type");
  if (type === undefined)
    return status === 204 && body === "" ? [] : [`no content type, with ${body.length} bytes`];
  const faults: string[] = [];
  if (!MEDIA_TYPES.includes(type)) faults.push(`content of type ${type}`);
  if (header(answer, "cache-control") !== "no-store") faults.push("it may be cached");
  if (method === "HEAD" || type === "text/event-stream")
    return status >= 400 && type !== (isProviders ? "application/json" : "application/problem+json")
      ? [...faults, `a refusal of type ${type}`]
      : faults;
  const json = parsed(body);
  if (json === undefined && !isPart) return [...faults, "no JSON"];
  if (status < 400)
    return type === "application/json" ? faults : [...faults, `${type}, and it is no refusal`];
  const { code, status: said, detail, message } = (json ?? {}) as Record<string, unknown>;
  if (isProviders) {
    // The provider's own answers pass with their status; they have a message too, in one spelling or the other.
    const isRefusal = (json as { status?: unknown }).status === "error" && typeof message === "string";
    return isRefusal && type === "application/json" ? faults : [...faults, "not in the provider's shape"];
  }
  const isProblem = type === "application/problem+json" && said === status && typeof detail === "string";
  if (!isProblem || statusOf(code) !== status) faults.push(`no problem that is known: ${String(code)}`);
  return faults;
}

/** Of a code that there is. */
function statusOf(code: unknown): number | null {
  try {
    return problemStatus(code as ProblemCode);
  } catch {
    return null;
  }
}

/** Who may read it from a page: under `/api` all, elsewhere the pages that are listed. */
function judgeSharing({ origin, path }: Asked, answer: Answer): string[] {
  const allowed = header(answer, "access-control-allow-origin");
  const faults: string[] = [];
  if (header(answer, "access-control-allow-credentials") !== undefined)
    faults.push("credentials are allowed");
  const expected = /^\/api(\/|$)/.test(path)
    ? "*"
    : /^\/v1(\/|$)/.test(path) && origin === ALLOWED_ORIGIN
      ? ALLOWED_ORIGIN
      : undefined;
  if (allowed !== expected) faults.push(`shared with ${allowed}, not ${expected}`);
  if (allowed === ALLOWED_ORIGIN && !/origin/i.test(header(answer, "vary") ?? ""))
    faults.push("shared with one origin, and it does not vary");
  return faults;
}

function judgeContent(world: World, { method, path, viewer, text }: Asked, answer: Answer): string[] {
  const { body, headers, status } = answer;
  const whole = `${headers.map(([name, value]) => `${name}: ${value}`).join("\n")}\n\n${body}`;
  const faults = world.planted.leaksTo(viewer, whole).map((leak) => `it shows ${leak}`);
  const operation = operationOf(method, path)?.id ?? "";
  if (/eyJ[\w-]{8,}\./.test(whole) && operation !== "mintToken") faults.push("it shows a token");
  for (const [secret] of whole.matchAll(/whsec_[A-Za-z0-9+/]{32,}={0,2}/g)) {
    const other = HANDS_OUT_SECRETS.has(operation)
      ? world.planted.handedOut(secret, viewer?.tenant ?? "nobody")
      : "a signing secret";
    if (other !== null) faults.push(`it shows ${other}`);
  }
  if (headers.some(([name]) => name === "x-injected")) faults.push("it has a header that a caller made");
  if (/\n\s+at \S+ \(|\bindex\.js:\d+/.test(body)) faults.push("it shows a stack");
  if (status >= 400 && body.includes(POLLUTION) && !text.includes(POLLUTION))
    faults.push("it knows a member that nobody sent");
  return faults;
}

/** Segments count as they are when they are decoded, each by itself. */
function operationOf(method: string, path: string): Operation | null {
  try {
    return operationAt(method, path.split("/").map(decodeURIComponent).join("/"));
  } catch {
    return operationAt(method, path);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, "latin1").toString());
  } catch {
    return undefined;
  }
}
