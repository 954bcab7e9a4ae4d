/**
 * Ways of spoiling what stands in front of a body: method, path, query and headers.
 */
import { type Mutations, setHeader } from "./call.ts";
import { hostileText, longText } from "./hostile-values.ts";
import type { Random } from "./random.ts";

const encoded = (text: string): string => encodeURIComponent(text.toWellFormed());
/** What may stand in a header: no CR, LF or NUL; bytes beyond ASCII may. */
const headerText = (text: string): string =>
  Buffer.from(text.toWellFormed().replace(/[\r\n\0]/g, " "))
    .toString("latin1")
    .slice(0, 9_000);

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
export const IN_HEAD: Mutations = {
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
