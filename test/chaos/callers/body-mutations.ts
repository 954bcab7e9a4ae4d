/**
 * Ways of spoiling a body: its members, and its bytes.
 */
import { gzipSync } from "node:zlib";
import { bodyBytes, type Mutations, setHeader } from "./call.ts";
import { hostileText, hostileTree, nested, polluting } from "./hostile-values.ts";
import { Members, objectsOf, Raw, spotsOf } from "./json-tree.ts";

/** Of the body's members. */
export const IN_TREE: Mutations = {
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
  "a secret that is refused": (call, random, world) => {
    // In no form that fits: it must not be repeated when that is said.
    const secret = `${world.planted.secret("refused")} \r\n`;
    if (!(call.tree instanceof Members) || call.operation.asProvider) return;
    call.tree.set(
      random.pick([
        "key",
        "secret",
        "headers",
        "index",
        "scope",
        "callback_url",
        "url",
        "destination",
        "overlap_seconds",
      ]),
      random.pick([secret, [secret], new Members([["x-secret", secret]])]),
    );
  },
  "a prototype": (call) => {
    if (call.tree instanceof Members) call.tree.list.push(...polluting().list);
  },
};

/** Of the body as bytes. */
export const IN_BYTES: Mutations = {
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
