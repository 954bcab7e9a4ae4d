/**
 * Requests that are none, or two in one, or never end: what HTTP itself is broken with. Each says how many answers it may
 * get at most; none of them is owed one unless it says so.
 */
import { bodyBytes, requestBytes, validCall } from "./call.ts";
import type { Identity } from "./identities.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

export interface RawAttack {
  readonly kind: string;
  readonly bytes: Buffer;
  readonly most: number;
  /** Exactly these statuses, in this order. */
  readonly statuses?: readonly number[];
  /** Sent in so many pieces, a moment apart. */
  readonly pieces?: number;
  /** The sender is gone as soon as all is sent. */
  readonly isGone?: boolean;
  /** Whose token is in it; `null`: nobody's. */
  readonly viewer: Identity | null;
}

type Make = (world: World, random: Random, host: string) => RawAttack;

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");
const JSON_BODY = '{"request_id":"1"}';

export const RAW_ATTACKS: readonly (readonly [weight: number, make: Make])[] = [
  [6, changed],
  [2, garbage],
  [2, half],
  [2, pipelined],
  [4, smuggled],
  [2, wrongLength],
  [2, brokenChunks],
  [1, largeHead],
  [1, otherProtocol],
  [1, dripped],
  [1, gone],
];

/** A good request, with some of its bytes changed, dropped or doubled. */
function changed(world: World, random: Random, host: string): RawAttack {
  const call = validCall(world, random);
  let bytes = requestBytes(call, host);
  for (let i = random.between(1, 4); i > 0; i--) {
    const at = random.below(bytes.length);
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at + 1)];
    const here = bytes.subarray(at, at + 1);
    const other = random.pick([
      random.bytes(1),
      Buffer.alloc(0),
      Buffer.concat([here, here]),
      latin1(random.pick(["\r\n", "\n", "\r", "\0", " ", ":", "\t", "\x7f", "%", "\xff"])),
      Buffer.from([(here[0] ?? 0) ^ (1 << random.below(8))]),
    ]);
    bytes = Buffer.concat([before, other, after]);
  }
  return { kind: "bytes changed", bytes, most: 2, viewer: call.identity };
}

function garbage(_world: World, random: Random): RawAttack {
  const bytes = Buffer.concat([
    random.bytes(random.between(1, 2_000)),
    latin1(random.pick(["", "\r\n\r\n"])),
  ]);
  return { kind: "garbage", bytes, most: 1, viewer: null };
}

/** Not to its end. */
function half(world: World, random: Random, host: string): RawAttack {
  const call = validCall(world, random);
  const bytes = requestBytes(call, host);
  const part = bytes.subarray(0, random.below(bytes.length));
  return { kind: "half a request", bytes: part, most: 1, viewer: call.identity };
}

/** Several at once, whose answers must come in their order. */
function pipelined(world: World, random: Random, host: string): RawAttack {
  const identity =
    world.identities.find(({ scopes }) => scopes?.includes("jobs:read")) ?? world.someone(random);
  const bearer = `authorization: Bearer ${identity.token}\r\n`;
  const one = (): readonly [number, string] =>
    random.pick([
      [200, `GET /healthz HTTP/1.1\r\nhost: ${host}\r\n\r\n`],
      [401, `GET /v1/jobs HTTP/1.1\r\nhost: ${host}\r\n\r\n`],
      [404, `GET /v1/nothing HTTP/1.1\r\nhost: ${host}\r\n${bearer}\r\n`],
      [405, `DELETE /v1/jobs HTTP/1.1\r\nhost: ${host}\r\n${bearer}\r\n`],
      [422, `GET /v1/jobs?limit=x HTTP/1.1\r\nhost: ${host}\r\n${bearer}\r\n`],
      [404, `POST /nothing HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 5\r\n\r\nhello`],
    ] as const);
  const all = Array.from({ length: random.between(2, 20) }, one);
  return {
    kind: "pipelined",
    bytes: latin1(all.map(([, text]) => text).join("")),
    most: all.length,
    statuses: all.map(([status]) => status),
    viewer: identity,
  };
}

const ENCODINGS = [
  "Transfer-Encoding: chunked",
  "Transfer-Encoding:\tchunked",
  "Transfer-Encoding : chunked",
  "Transfer-Encoding: xchunked",
  "Transfer-Encoding: chunked, identity",
  "Transfer-Encoding: identity, chunked",
  "Transfer-Encoding: \x0bchunked",
  "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
  "Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
  "X: y\nTransfer-Encoding: chunked",
  "Transfer-Encoding:\r\n chunked",
  "transfer-encoding: CHUNKED",
];

/** A second request in the body of the first, hidden by two lengths that disagree. Nobody may answer it. */
function smuggled(world: World, random: Random, host: string): RawAttack {
  const viewer = random.pick(world.identities);
  const inner = `GET /v1/signing-secret HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${viewer.token}\r\nx: `;
  const bodies = [`0\r\n\r\n${inner}`, `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`];
  const body = random.pick(bodies);
  const length = body.length;
  const lengths = random.pick([
    [`Content-Length: ${length}`],
    [`Content-Length: ${length}`, "Content-Length: 0"],
    ["Content-Length: 0", `Content-Length: ${length}`],
    [`Content-Length: 0, ${length}`],
    [`Content-Length: +${length}`],
    [`Content-Length: ${length}\x0b`],
    [`Content-Length : ${length}`],
    [`Content-Length: 0x${length.toString(16)}`],
  ]);
  const heads = random.pick([
    [...lengths.slice(0, 1), random.pick(ENCODINGS)],
    [random.pick(ENCODINGS), ...lengths.slice(0, 1)],
    lengths.length > 1 ? lengths : [...lengths, random.pick(ENCODINGS)],
  ]);
  const head = ["POST /v1/nothing HTTP/1.1", `host: ${host}`, "content-type: application/json", ...heads];
  return { kind: "smuggled", bytes: latin1(`${head.join("\r\n")}\r\n\r\n${body}`), most: 1, viewer };
}

/** A length that is not the body's. */
function wrongLength(world: World, random: Random, host: string): RawAttack {
  const call = validCall(world, random);
  const real = bodyBytes(call)?.length ?? 0;
  const said = random.pick([
    real + 1,
    real + 100,
    Math.max(0, real - 1),
    70_000,
    20_000_000,
    2 ** 53,
    -1,
    "1e3",
    "",
  ]);
  call.headers.push(["content-length", String(said)]);
  call.framing = "length";
  return { kind: "a wrong length", bytes: requestBytes(call, host), most: 2, viewer: call.identity };
}

function brokenChunks(world: World, random: Random, host: string): RawAttack {
  const viewer = random.pick(world.identities);
  const head = [
    `POST ${random.pick(["/v1/jobs", "/v1/jobs/batch", "/api/v3/fetch/1", "/v1/tokens"])} HTTP/1.1`,
    `host: ${host}`,
    `authorization: Bearer ${viewer.token}`,
    "content-type: application/json",
    "transfer-encoding: chunked",
  ].join("\r\n");
  const size = JSON_BODY.length.toString(16);
  const body = random.pick([
    `zz\r\n${JSON_BODY}\r\n0\r\n\r\n`,
    `-1\r\n${JSON_BODY}\r\n0\r\n\r\n`,
    `ffffffffffffffffff\r\n${JSON_BODY}`,
    `7fffffffffffffff\r\n${JSON_BODY}`,
    `${size}${JSON_BODY}0\r\n\r\n`,
    `${size}\n${JSON_BODY}\n0\n\n`,
    `${size};a=${"b".repeat(5_000)}\r\n${JSON_BODY}\r\n0\r\n\r\n`,
    `${size}\r\n${JSON_BODY}\r\n0\r\nx-trailer: 1\r\n\r\n`,
    `1\r\n${JSON_BODY}\r\n0\r\n\r\n`,
    `${size}\r\n${JSON_BODY}\r\n`,
    `${"0".repeat(3_000)}${size}\r\n${JSON_BODY}\r\n0\r\n\r\n`,
    "\r\n\r\n",
  ]);
  return { kind: "broken chunks", bytes: latin1(`${head}\r\n\r\n${body}`), most: 2, viewer };
}

function largeHead(_world: World, random: Random, host: string): RawAttack {
  const filler = random.pick([
    () => `x: ${"a".repeat(random.pick([8_000, 70_000, 300_000]))}\r\n`,
    () => Array.from({ length: random.pick([200, 5_000]) }, (_, i) => `x-${i}: 1\r\n`).join(""),
    () => `cookie: ${"a=b; ".repeat(10_000)}\r\n`,
    () => `authorization: Bearer ${"a".repeat(60_000)}\r\n`,
  ])();
  const path = random.chance(0.3) ? `/v1/${"a".repeat(60_000)}` : "/v1/jobs";
  return {
    kind: "a large head",
    bytes: latin1(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\n${filler}\r\n`),
    most: 1,
    viewer: null,
  };
}

function otherProtocol(_world: World, random: Random, host: string): RawAttack {
  const text = random.pick([
    "GET /healthz\r\n\r\n",
    `GET /healthz HTTP/1.0\r\nhost: ${host}\r\n\r\n`,
    `GET /healthz HTTP/9.9\r\nhost: ${host}\r\n\r\n`,
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    `CONNECT ${host} HTTP/1.1\r\nhost: ${host}\r\n\r\n`,
    `CONNECT 169.254.169.254:80 HTTP/1.1\r\nhost: ${host}\r\n\r\n`,
    `GET http://169.254.169.254/ HTTP/1.1\r\nhost: ${host}\r\n\r\n`,
    `BREW /v1/jobs HTTP/1.1\r\nhost: ${host}\r\n\r\n`,
    `get /healthz HTTP/1.1\r\nhost: ${host}\r\n\r\n`,
    "GET /healthz HTTP/1.1\r\n\r\n",
    `GET  /healthz  HTTP/1.1\r\nhost: ${host}\r\n\r\n`,
    `GET /v1/jobs HTTP/1.1\r\nhost: ${host}\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n`,
    "*1\r\n$4\r\nPING\r\n",
    "EHLO x\r\n",
  ]);
  return { kind: "another protocol", bytes: latin1(text), most: 1, viewer: null };
}

/** So slowly that it does not come to its end. */
function dripped(world: World, random: Random, host: string): RawAttack {
  const call = validCall(world, random);
  const bytes = requestBytes(call, host).subarray(0, 40);
  return { kind: "dripped", bytes, pieces: 20, most: 1, viewer: call.identity };
}

/** Whole, and nobody waits for the answer. */
function gone(world: World, random: Random, host: string): RawAttack {
  const call = validCall(world, random);
  return {
    kind: "nobody waits",
    bytes: requestBytes(call, host),
    most: 1,
    isGone: true,
    viewer: call.identity,
  };
}
