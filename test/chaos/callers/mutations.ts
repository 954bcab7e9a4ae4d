/**
 * Ways of spoiling a call. Each leaves it well framed: it must be answered. What breaks HTTP itself is in
 * raw-attacks.ts.
 */
import { gzipSync } from "node:zlib";
import { bodyBytes, type Call } from "./call.ts";
import { hostileText, hostileTree, longText, nested, polluting } from "./hostile-values.ts";
import { Members, objectsOf, Raw, spotsOf } from "./json-tree.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

type Mutation = (call: Call, random: Random, world: World) => void;

const encoded = (text: string): string => encodeURIComponent(text.toWellFormed());
/** What may stand in a header: no CR, LF or NUL; bytes beyond ASCII may. */
const headerText = (text: string): string =>
  Buffer.from(text.toWellFormed().replace(/[\r\n\0]/g, " "))
    .toString("latin1")
    .slice(0, 9_000);

function setHeader(call: Call, name: string, value: string | null): void {
  call.headers = call.headers.filter(([given]) => given.toLowerCase() !== name);
  if (value !== null) call.headers.push([name, value]);
}

/** Of the body's members. */
const IN_TREE: Readonly<Record<string, Mutation>> = {
  "another value": (call, random) => {
    const spot = random.maybe(call.tree === null ? [] : spotsOf(call.tree));
    spot?.replace(hostileTree(random));
  },
  "a member less": (call, random) => {
    // A filter keeps what makes it narrow.
    const object = random.maybe(objectsOf(call.tree));
    const isFilter = call.operation.id === "redeliverJobs" || call.operation.id === "cancelJobs";
    if (object && object.list.length > 0 && !isFilter)
      object.list.splice(random.below(object.list.length), 1);
  },
  "a member more": (call, random) => {
    const name = random.weighted<() => string | Raw>([
      [3, () => random.pick(["__proto__", "constructor", "toString", "valueOf", "length", "then", "toJSON"])],
      [2, () => hostileText(random)],
      [1, () => new Raw('"\\ud800"')],
      [1, () => random.pick(["tenant", "sub", "owner", "own", "id", "status", "isAdmin", "any_request"])],
    ])();
    random
      .maybe(objectsOf(call.tree))
      ?.list.push([name, random.chance(0.3) ? polluting() : hostileTree(random)]);
  },
  "a member twice": (call, random) => {
    const object = random.maybe(objectsOf(call.tree).filter(({ list }) => list.length > 0));
    const member = object && random.maybe(object.list);
    if (!object || !member) return;
    const twin: typeof member = [member[0], random.chance(0.5) ? member[1] : hostileTree(random)];
    if (random.chance(0.5)) object.list.push(twin);
    else object.list.unshift(twin);
  },
  "a name in escapes": (call, random) => {
    const object = random.maybe(objectsOf(call.tree).filter(({ list }) => list.length > 0));
    const member = object && random.maybe(object.list);
    if (!member || typeof member[0] !== "string" || member[0] === "") return;
    const code = member[0].charCodeAt(0).toString(16).padStart(4, "0");
    member[0] = new Raw(`"\\u${code}${JSON.stringify(member[0].slice(1)).slice(1)}`);
  },
  "no object": (call, random) => {
    call.tree = call.tree === null ? null : random.pick([[call.tree], hostileTree(random), []]);
  },
  "a deep one": (call, random) => {
    // The simulated provider would not get through it.
    if (call.tree instanceof Members && !call.operation.asProvider)
      call.tree.list.push([random.pick(["metadata", "response", "filter", "x"]), nested(random, 14_000)]);
  },
  "a prototype": (call) => {
    if (call.tree instanceof Members) call.tree.list.push(...polluting().list);
  },
};

/** Of the body as bytes. */
const IN_BYTES: Readonly<Record<string, Mutation>> = {
  "a byte changed": (call, random) => {
    const bytes = bodyBytes(call);
    if (!bytes || bytes.length === 0) return;
    for (let i = random.between(1, 3); i > 0; i--) bytes[random.below(bytes.length)] = random.below(256);
    call.bytes = bytes;
  },
  "cut off": (call, random) => {
    const bytes = bodyBytes(call);
    if (bytes) call.bytes = bytes.subarray(0, random.below(bytes.length + 1));
  },
  "bytes around": (call, random) => {
    const bytes = bodyBytes(call) ?? Buffer.alloc(0);
    const more = random.pick(["\ufeff", " ", "\0", "{}", "\n\n", ")]}',\n"]);
    const parts = [Buffer.from(more), bytes];
    call.bytes = Buffer.concat(random.chance(0.5) ? parts : parts.reverse());
  },
  "not UTF-8": (call, random) => {
    const bytes = bodyBytes(call) ?? Buffer.from("{}");
    const at = random.below(bytes.length);
    const bad = random.pick([
      [0xff],
      [0xc0, 0x80],
      [0xed, 0xa0, 0x80],
      [0xf5, 0x80, 0x80, 0x80],
      [0xe2, 0x82],
    ]);
    call.bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(bad), bytes.subarray(at)]);
  },
  "UTF-16": (call) => {
    const bytes = bodyBytes(call);
    if (bytes) call.bytes = Buffer.from(bytes.toString(), "utf16le");
  },
  gzipped: (call, random) => {
    const bytes = bodyBytes(call);
    if (bytes && random.chance(0.7)) call.bytes = gzipSync(bytes);
    setHeader(call, "content-encoding", random.pick(["gzip", "br", "deflate", "identity", "x"]));
  },
  "no body": (call) => {
    call.tree = null;
    call.bytes = null;
  },
  "a body where none is": (call, random) => {
    call.bytes = random.bytes(random.between(0, 200));
    setHeader(call, "content-type", random.pick(["application/json", "text/plain"]));
  },
  "too large": (call, random) => {
    const limit = random.pick([65_536, 65_536, 65_536, 1_048_576]);
    const filler = Buffer.alloc(limit + random.pick([-20, 0, 1, 500]), random.pick(["a", " ", "[", "1"]));
    call.bytes = random.chance(0.5) ? filler : Buffer.concat([bodyBytes(call) ?? Buffer.from("{"), filler]);
    // A body that is not read to its end may end its connection.
    call.isAlone = true;
  },
};

const METHODS = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "PATCH",
  "OPTIONS",
  "TRACE",
  "PROPFIND",
  "QUERY",
  "LOCK",
];
const MEDIA_TYPES = [
  "text/plain",
  "application/xml",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "application/json; charset=utf-16",
  "APPLICATION/JSON ; a=b",
  "application/jsonx",
  "application/json, text/html",
  "text/html",
  "*/*",
  "",
];
const AUTHORIZATIONS = (token: string): string[] => [
  "",
  "Bearer",
  "Bearer ",
  `bearer ${token}`,
  `Bearer  ${token}  `,
  `Bearer ${token} ${token}`,
  `Bearer ${token},`,
  `Basic ${Buffer.from(`x:${token}`).toString("base64")}`,
  `Token ${token}`,
  token,
  `Bearer "${token}"`,
  `Bearer ${token}x`,
  `Bearer ${token.slice(1)}`,
  `Bearer ${token.toUpperCase()}`,
  "Bearer \xff\xfe",
  "Digest username=x",
];
export const ALLOWED_ORIGIN = "https://app.example.com";
const ORIGINS = [
  ALLOWED_ORIGIN,
  ALLOWED_ORIGIN,
  "https://evil.example",
  "null",
  `${ALLOWED_ORIGIN}.evil.example`,
  "*",
  "x",
];
const HOSTS = [
  "a b",
  "x:99999",
  "[::1",
  "%zz",
  "a@b",
  "x/y",
  "x?y#z",
  "<b>",
  "x:y",
  "EVIL.example",
  "127.0.0.1",
  "x,y",
];

/** Of what stands in front of the body. */
const IN_HEAD: Readonly<Record<string, Mutation>> = {
  "another method": (call, random) => {
    call.method = random.pick(METHODS);
  },
  "another type": (call, random) =>
    setHeader(call, "content-type", random.chance(0.2) ? null : random.pick(MEDIA_TYPES)),
  "another token": (call, random, world) => {
    // No other caller's: what this call plants would be that one's.
    const token = random.pick([call.identity.token, random.pick(world.impostors).token]);
    const value = random.chance(0.15) ? null : random.pick(AUTHORIZATIONS(token));
    setHeader(call, "authorization", value);
  },
  "an origin": (call, random) => {
    setHeader(call, "origin", random.pick(ORIGINS));
    if (random.chance(0.3)) {
      call.method = "OPTIONS";
      setHeader(call, "access-control-request-method", random.pick(METHODS));
      setHeader(call, "access-control-request-headers", headerText(hostileText(random)));
    }
  },
  "a host": (call, random) => setHeader(call, "host", random.pick(HOSTS)),
  "a header": (call, random) => {
    const [name, value] = random.pick<readonly [string, string]>([
      ["range", "bytes=0-1"],
      ["x-http-method-override", "DELETE"],
      ["x-forwarded-host", "evil.example"],
      ["x-forwarded-for", "127.0.0.1"],
      ["x-original-url", "/v1/signing-secret"],
      ["accept", "text/html"],
      ["accept-encoding", "gzip, br;q=x"],
      ["if-none-match", "*"],
      ["cookie", "a=b; __proto__=c"],
      ["last-event-id", headerText(hostileText(random))],
      ["idempotency-key", headerText(hostileText(random))],
      ["upgrade", "websocket"],
      ["te", "trailers"],
      ["cf-connecting-ip", "127.0.0.1"],
      [random.word(), headerText(longText(random))],
    ]);
    setHeader(call, name, value);
  },
  "a path": (call, random) => {
    const segments = call.path.split("/");
    const at = random.between(1, segments.length - 1);
    const old = segments[at] ?? "";
    segments[at] = random.pick<() => string>([
      () => encoded(hostileText(random)),
      () =>
        random.pick([
          "%00",
          "%2f",
          "..%2f..",
          "%zz",
          "%",
          ".",
          "..",
          "%2e%2e",
          "",
          "%ff%fe",
          ";a=b",
          "*",
          "~",
        ]),
      () => `${old};a=b`,
      () => old.toUpperCase(),
      () => `${old}/`,
      () => [...old].map((char) => `%${char.charCodeAt(0).toString(16).padStart(2, "0")}`).join(""),
      () => `${old}%0d%0ax-injected:1`,
      () => old.repeat(200).slice(0, 8_000),
      () => `${old}%20`,
    ])();
    call.path = segments.join("/");
  },
  "a query": (call, random, world) => {
    const names = [
      "limit",
      "cursor",
      "after",
      "wait",
      "status",
      "created_after",
      "metadata.user",
      "__proto__",
      "window",
    ];
    const known = call.query.map(([name]) => name);
    const name = random.pick([...known, ...known, ...names, encoded(hostileText(random))]);
    const value = random.pick<() => string>([
      () => encoded(hostileText(random)),
      () => random.pick(["%zz", "%ff", "", "0", "-1", "201", "99999999999", "1e3", "+1", "%20", "1&limit=2"]),
      () => spoiledCursor(world.handle("cursor", call.identity, random) ?? "MTc5", random),
    ])();
    // Nobody holds a call for a minute here.
    if (name !== "wait" || !/^\d+$/.test(value)) call.query.push([name, value]);
  },
};

function spoiledCursor(cursor: string, random: Random): string {
  const text = Buffer.from(cursor, "base64url").toString();
  return random.pick<() => string>([
    () => cursor.slice(0, -1),
    () => `${cursor}AA`,
    () => Buffer.from(text.replace(/\d/, String(random.below(10)))).toString("base64url"),
    () => Buffer.from(`${text}\0`).toString("base64url"),
    () => Buffer.from("9".repeat(random.pick([15, 16, 17, 400]))).toString("base64url"),
    () => Buffer.from(`${text}' OR 1=1`).toString("base64url"),
  ])();
}

const ALL: readonly (readonly [weight: number, mutations: Readonly<Record<string, Mutation>>])[] = [
  [8, IN_TREE],
  [3, IN_BYTES],
  [7, IN_HEAD],
];

/** Spoils the call in one to three ways. */
export function spoil(call: Call, random: Random, world: World): void {
  for (
    let i = random.weighted([
      [6, 1],
      [3, 2],
      [1, 3],
    ]);
    i > 0;
    i--
  ) {
    const hasTree = call.tree !== null && call.bytes === null;
    const mutations = random.weighted(ALL.filter(([, some]) => some !== IN_TREE || hasTree));
    const name = random.pick(Object.keys(mutations));
    // A large body is costly; one in many is enough.
    if (name === "too large" && random.chance(0.85)) continue;
    mutations[name]?.(call, random, world);
    call.spoiled.push(name);
  }
}
