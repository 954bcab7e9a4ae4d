/**
 * Sends calls and raw bytes, each to its end, and has every answer judged. One lane sends one after another over a
 * connection that it keeps, as long as that is to be had.
 */
import { described } from "../../support/described.ts";
import { bodyBytes, type Call, requestBytes, targetOf, validCall } from "./call.ts";
import type { Identity } from "./identities.ts";
import type { Ledger } from "./ledger.ts";
import { spoil } from "./mutations.ts";
import { type Asked, isOfWorkerd, judge } from "./oracles.ts";
import type { Random } from "./random.ts";
import { RAW_ATTACKS, type RawAttack } from "./raw-attacks.ts";
import { type Answer, Connection, type Exchange } from "./wire.ts";
import type { World } from "./world.ts";

/** The bound of "in time" on a machine that others use too: the provider may take 10 s. */
const ANSWER_LIMIT_MS = 40_000;
/** A caller who asked to be kept waiting leaves after this. */
const HELD_MS = 1_000;
/** What is owed no answer is waited for so long; then it is said that no more will come; then so long again. */
const RAW_PATIENCE_MS = 400;
/** For a second answer, where there may be only one. */
const QUIET_MS = 60;
const PIECE_GAP_MS = 15;
const VALID = 0.3;
/** Of the answers, how many are held against their schemas: that takes longer than the answer. */
const DESCRIBED = 0.04;
/** Routes that refuse what they do not know in a query; others do not look. */
const STRICT_QUERIES = new Set(["listJobs", "pullEvents", "listDestinations", "readStats"]);

export class Attack {
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #port: number;
  readonly #host: string;

  constructor(world: World, ledger: Ledger) {
    this.#world = world;
    this.#ledger = ledger;
    const { port, host } = new URL(world.peers.node.origin);
    this.#port = Number(port);
    this.#host = host;
  }

  /** Calls until `more` says that there are enough. */
  async callLane(random: Random, more: () => boolean): Promise<void> {
    let kept: Connection | null = null;
    while (more()) {
      const call = validCall(this.#world, random);
      if (!random.chance(VALID)) spoil(call, random, this.#world);
      kept = await this.send(call, kept, random.chance(DESCRIBED));
    }
    kept?.destroy();
  }

  async rawLane(random: Random, more: () => boolean): Promise<void> {
    while (more()) {
      const attack = random.weighted(RAW_ATTACKS)(this.#world, random, this.#host);
      await this.#raw(attack);
    }
  }

  /** One call; returns the connection if it can be used again. */
  async send(call: Call, kept: Connection | null, isDescribed: boolean): Promise<Connection | null> {
    const bytes = requestBytes(call, this.#host);
    const target = targetOf(call);
    const path = pathOf(call, target, this.#host);
    const viewer = viewerOf(call, path, this.#world);
    const kind = call.spoiled.length === 0 ? "as the document says" : "spoiled";
    this.#ledger.sent(kind);
    const erased = call.method === "DELETE" && /\/v1\/jobs\/([^/]+)$/.exec(call.path)?.[1];
    if (erased) this.#world.forgetOwner(erased);
    const asked: Asked = {
      method: call.method,
      target,
      path,
      origin: call.headers.find(([name]) => name === "origin")?.[1],
      viewer,
      text: bytes.toString("latin1"),
    };
    const isHeld = waitOf(call) > 1;
    const patience = isHeld ? HELD_MS : ANSWER_LIMIT_MS;
    let connection = call.isAlone || kept?.isEnded ? null : kept;
    if (connection !== kept) kept?.destroy();
    let exchange: Exchange = { kind: "closed", text: "" };
    // A kept connection may be closed at the moment of its next use.
    for (let tried = 0; tried < 2 && exchange.kind === "closed"; tried++) {
      if (tried > 0) connection = null;
      connection ??= await Connection.open(this.#port);
      connection.send(bytes);
      exchange = await connection.receive(call.method, patience);
    }
    const label = `${kind}: ${call.operation.id}${call.spoiled.length > 0 ? `, ${call.spoiled.join(", ")}` : ""}`;
    if (exchange.kind !== "answered") {
      connection?.destroy();
      if (exchange.kind === "timeout" && isHeld) this.#ledger.silent("left while it was kept waiting");
      else this.#ledger.fail(label, bytes, [unanswered(exchange.kind)], exchange.text);
      return null;
    }
    const { answer } = exchange;
    this.#ledger.coverage.note(call.method, target, answer.status);
    const faults = judge(this.#world, asked, answer);
    if (isDescribed && faults.length === 0)
      faults.push(...(await this.#describedFaults(call, target, answer)));
    if (faults.length > 0) this.#ledger.fail(label, bytes, faults, shown(answer));
    this.#learn(asked, answer);
    if (!exchange.isLast && !call.isAlone) return connection;
    connection?.destroy();
    return null;
  }

  /** A call whose answer is not waited for; the connection is its caller's to end. */
  async hold(call: Call): Promise<Connection> {
    this.#ledger.sent("held");
    this.#ledger.silent("left while it was kept waiting");
    const connection = await Connection.open(this.#port);
    connection.send(requestBytes(call, this.#host));
    await connection.rest(HELD_MS);
    return connection;
  }

  #learn({ viewer, method, target }: Asked, { status, body }: Answer): void {
    if (viewer === null || status < 200 || status >= 300) return;
    if (method === "POST" && target === "/v1/tokens") {
      const { token } = JSON.parse(body) as { token?: string };
      if (token !== undefined) this.#world.learnToken(token);
    } else this.#world.learn(viewer, body, method === "POST" && target === "/v1/jobs" && status === 202);
  }

  /** Held against the document, where the path is one of it. */
  async #describedFaults(call: Call, target: string, answer: Answer): Promise<string[]> {
    const isElsewhere = call.spoiled.some((name) => name === "a path" || name === "a host");
    // An operation on all jobs is no job of that name; which methods a path has is said in words.
    if (isElsewhere || answer.status === 405 || answer.isPart || isOfWorkerd(answer, call.method)) return [];
    // Halves of surrogate pairs are more than the validator can name.
    if (/\\u[dD][89a-fA-F]/.test(`${bodyBytes(call) ?? ""}${answer.body}`)) return [];
    const isStrict = STRICT_QUERIES.has(call.operation.id);
    // Of a call that has none, nobody reads it.
    const body = /^(POST|PUT)$/.test(call.method) ? bodyBytes(call)?.toString() : undefined;
    const isEmpty = answer.status === 204 || call.method === "HEAD";
    try {
      const response = new Response(isEmpty ? null : Buffer.from(answer.body, "latin1"), {
        status: answer.status,
        headers: answer.headers.map(([name, value]) => [name, value] as [string, string]),
      });
      const url = `http://${this.#host}${isStrict ? target : call.path}`;
      await (await described({ method: call.method, url, body }, response)).text();
      this.#ledger.described++;
      return [];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  }

  async #raw({ kind, bytes, most, statuses, pieces = 1, isGone = false, viewer }: RawAttack): Promise<void> {
    this.#ledger.sent(`raw: ${kind}`);
    const connection = await Connection.open(this.#port);
    const size = Math.ceil(bytes.length / pieces);
    for (let at = 0; at < bytes.length && !connection.isEnded; at += size) {
      connection.send(bytes.subarray(at, at + size));
      if (pieces > 1) await new Promise((resolve) => setTimeout(resolve, PIECE_GAP_MS));
    }
    if (isGone) {
      connection.destroy();
      this.#ledger.silent("nobody waited");
      return;
    }
    const seen: Answer[] = [];
    let isFinished = false;
    let last: Exchange["kind"] = "answered";
    // One more than there may be is looked for, but not for long.
    while (seen.length <= most) {
      const patience =
        statuses && seen.length < most ? ANSWER_LIMIT_MS : seen.length < most ? RAW_PATIENCE_MS : QUIET_MS;
      const exchange = await connection.receive(methodOf(bytes, seen.length), patience);
      last = exchange.kind;
      if (exchange.kind === "answered") {
        seen.push(exchange.answer);
        if (exchange.isLast) break;
      } else if (exchange.kind === "timeout" && !isFinished && seen.length < most) {
        connection.finish();
        isFinished = true;
      } else break;
    }
    connection.destroy();
    const faults = seen.flatMap((answer) => this.#judgeRaw(bytes, viewer, answer));
    if (last === "malformed") faults.push("it is no HTTP");
    if (seen.length > most) faults.push(`${seen.length} answers to ${most} requests`);
    if (statuses && statuses.join() !== seen.map(({ status }) => status).join())
      faults.push(`answered ${seen.map(({ status }) => status).join()}, not ${statuses.join()}`);
    for (const { status } of seen) this.#ledger.coverage.note("raw", "", status);
    if (seen.length === 0)
      this.#ledger.silent(last === "closed" ? "closed" : "left open, as more was to come");
    if (faults.length > 0) this.#ledger.fail(`raw: ${kind}`, bytes, faults, seen.map(shown).join("\n"));
  }

  /** What holds of an answer whatever was asked: nobody knows any more what that was. */
  #judgeRaw(bytes: Buffer, viewer: Identity | null, answer: Answer): string[] {
    const text = bytes.toString("latin1");
    if (isOfWorkerd(answer, methodOf(bytes, 0))) return [];
    const faults = this.#world.planted.leaksTo(viewer, shown(answer)).map((leak) => `it shows ${leak}`);
    const providerFailed = (answer.status === 502 || answer.status === 504) && /faulty-/.test(text);
    const isFull = answer.status === 503 && answer.body.includes('"detail":"As many w');
    if (answer.status >= 500 && !providerFailed && !isFull) faults.push(`a ${answer.status}`);
    return faults;
  }
}

const unanswered = (kind: string): string =>
  kind === "timeout" ? `no answer within ${ANSWER_LIMIT_MS / 1000} s` : `no answer: ${kind}`;

const methodOf = (bytes: Buffer, answered: number): string =>
  answered === 0 ? (bytes.subarray(0, 20).toString("latin1").split(" ")[0] ?? "") : "GET";

const shown = ({ status, headers, body }: Answer): string =>
  `${status}\n${headers.map(([name, value]) => `${name}: ${value}`).join("\n")}\n\n${body}`;

/** How long it asks to be kept waiting, at most. */
const waitOf = ({ query }: Call): number =>
  Math.max(0, ...query.filter(([name]) => name === "wait").map(([, value]) => Number(value) || 0));

/** The path that the server sees, whose beginning a Host can be. */
const pathOf = ({ headers }: Call, target: string, host: string): string =>
  URL.parse(`http://${headers.find(([name]) => name === "host")?.[1] ?? host}${target}`)?.pathname ?? "";

/** Whose token the call carries, as the routes read it. */
function viewerOf(call: Call, path: string, world: World): Identity | null {
  if (!/^\/api(\/|$)/.test(path)) {
    const value = call.headers.findLast(([name]) => name === "authorization")?.[1] ?? "";
    return world.bearer(/^Bearer +(\S+) *$/i.exec(value)?.[1] ?? "");
  }
  try {
    const { key } = JSON.parse((bodyBytes(call) ?? "").toString().replace(/^\ufeff/, "")) as {
      key?: unknown;
    };
    return typeof key === "string" ? world.bearer(key) : null;
  } catch {
    return null;
  }
}
