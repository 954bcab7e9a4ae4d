import { Webhook } from "standardwebhooks";
import { expect, it } from "vitest";
import { pollhook } from "./io.ts";

const SECRET = `whsec_${btoa("s".repeat(32))}`;
const OLDER = `whsec_${btoa("o".repeat(32))}`;
const SENT_AT = "2026-11-20T12:00:21Z";
const BODY =
  '{"type":"job.succeeded","timestamp":"2026-11-20T12:00:21.000Z","data":{"metadata":{"name":"ü"}}}';
const HEADERS = {
  "Content-Type": "application/json",
  "Webhook-Id": "msg_1",
  "Webhook-Timestamp": String(Date.parse(SENT_AT) / 1000),
  "Webhook-Signature": new Webhook(SECRET).sign("msg_1", new Date(SENT_AT), BODY),
};

const asText = (body = BODY): string =>
  `POST /hook HTTP/1.1\r\n${Object.entries(HEADERS)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("")}\r\n${body}`;

const verified = (captured: string, { secrets = SECRET, at = SENT_AT } = {}) =>
  pollhook(["verify", "captured", "--at", at, "--json"], {
    env: { POLLHOOK_SECRET: secrets },
    files: { captured },
  }).then(({ code, out }) => ({ code, found: JSON.parse(out[0] ?? "") }));

it.each([
  ["text", asText()],
  ["JSON", JSON.stringify({ headers: HEADERS, body: BODY })],
])("finds a genuine request genuine that was captured as %s", async (_, captured) => {
  expect(await verified(captured)).toEqual({
    code: 0,
    found: {
      genuine: true,
      code: null,
      detail: null,
      event_id: "msg_1",
      secrets: [1],
      clock_seconds: 0,
      body_change: null,
      type: "job.succeeded",
    },
  });
});

it("says which of several secrets it was", async () => {
  expect(await verified(asText(), { secrets: `${OLDER}, ${SECRET}` })).toMatchObject({
    found: { secrets: [2] },
  });
  expect(await verified(asText(), { secrets: OLDER })).toMatchObject({ code: 1, found: { secrets: [] } });
});

it("knows a body whose slashes are no longer escaped, as the provider escapes them", async () => {
  const sent = BODY.replace('"metadata"', '"output":["https:\\/\\/a.example\\/1.png"],"metadata"');
  const signature = new Webhook(SECRET).sign("msg_1", new Date(SENT_AT), sent);
  const headers = { ...HEADERS, "Webhook-Signature": signature };
  const { code, found } = await verified(JSON.stringify({ headers, body: JSON.stringify(JSON.parse(sent)) }));
  expect([code, found.body_change]).toEqual([1, "it was parsed and written again with other escapes"]);
});

it("names the secret that is malformed", async () => {
  const surroundings = { env: { POLLHOOK_SECRET: `${SECRET} whsec_%` }, files: { captured: asText() } };
  expect(await pollhook(["verify", "captured", "--at", SENT_AT], surroundings)).toEqual({
    code: 2,
    out: [],
    err: ["pollhook: Secret 2 in POLLHOOK_SECRET is malformed: it must be whsec_ and base64."],
    shown: [],
  });
});

it("takes Unix seconds for when it came", async () => {
  const at = String(Date.parse(SENT_AT) / 1000 + 60);
  expect(await verified(asText(), { at })).toMatchObject({ code: 0, found: { clock_seconds: 60 } });
});

it("tells a clock that differs from a secret that does", async () => {
  expect(await verified(asText(), { at: "2026-11-20T13:00:21Z" })).toMatchObject({
    code: 1,
    found: { genuine: false, code: "webhook_timestamp_refused", secrets: [1], clock_seconds: 3600 },
  });
});

const REWRITTEN = "it looks parsed and written again, unless the secret is another";

it.each([
  [`${BODY}\n`, "a line end was added behind it"],
  [` ${BODY} `, "white space was added around it"],
  [`\uFEFF${BODY}`, "a byte order mark was put before it"],
  [JSON.stringify(JSON.parse(BODY), null, 2), "it was parsed and written again with other white space"],
  [BODY.replace("succeeded", "failed"), REWRITTEN],
  [JSON.stringify(JSON.parse(BODY.replace("succeeded", "failed")), null, 2), REWRITTEN],
  [BODY.replace("succeeded", "failed").replaceAll('":', '": ').replaceAll(',"', ', "'), REWRITTEN],
  [BODY.replace("succeeded", "\\/failed"), null],
  ["a text", null],
])("recognises how a body was changed: %j", async (body, change) => {
  const { code, found } = await verified(asText(body));
  expect([code, found.code, found.body_change]).toEqual([1, "webhook_signature_refused", change]);
});

it("says it in lines for people, too", async () => {
  const surroundings = { env: { POLLHOOK_SECRET: SECRET }, files: { "-": asText(`${BODY}\n`) } };
  const { out } = await pollhook(["verify", "-", "--at", SENT_AT], surroundings);
  expect(out).toEqual([
    expect.stringMatching(/^refused: webhook_signature_refused: /),
    "event    msg_1",
    "secret   none of 1",
    "clock    0 s after it was sent",
    "body     a line end was added behind it",
  ]);
});
