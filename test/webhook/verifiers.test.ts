import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { MasterKey } from "../../src/crypto/keys.ts";
import { deliver } from "../../src/webhook/deliver.ts";
import { buildEvent, type EventFacts, type EventFormat } from "../../src/webhook/event.ts";
import { signingSecrets, tenantKeys } from "../../src/webhook/signature.ts";
import { ScriptedFetch, type Sent, status } from "../support/scripted-fetch.ts";

const URL_OF_HOOK = "https://example.com/hook";
const master = (kid: string, fill: number): MasterKey => ({ kid, bytes: new Uint8Array(32).fill(fill) });
const [NEWEST, OLDER, OLDEST, UNLISTED] = [
  master("k3", 3),
  master("k2", 2),
  master("k1", 1),
  master("k0", 0),
];

const FACTS: EventFacts = {
  jobId: "job_abc",
  endpoint: "v4/dreambooth",
  requestId: "13443927",
  outcome: "succeeded",
  error: null,
  metadata: '{"user":7}',
  registeredAt: 1_763_640_000_000,
  finishedAt: 1_763_640_010_000,
  polls: 2,
};

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => {
  fetched.restore();
});

/** Delivers one event as the job does, and hands back the request as it left. */
async function delivered(
  {
    answer = '{"status":"success","output":["https://x/1.png"]}',
    metadata = FACTS.metadata,
    format = "standard",
    eventId = "msg_1",
  }: { answer?: string; metadata?: string; format?: EventFormat; eventId?: string },
  masterKeys: readonly MasterKey[] = [NEWEST],
): Promise<Sent> {
  const bytes = new TextEncoder().encode(answer);
  const parts = buildEvent(format, { ...FACTS, metadata }, { final: true, bytes });
  fetched.on(URL_OF_HOOK, status(204));
  const keys = await tenantKeys(masterKeys, "acme");
  const { verdict } = await deliver({
    url: URL_OF_HOOK,
    headers: {},
    keys,
    eventId,
    number: 1,
    parts,
    answer: bytes,
  });
  expect(verdict).toEqual({ kind: "delivered" });
  const sent = fetched.sent.at(-1);
  if (!sent) throw new Error("nothing was sent");
  return sent;
}

async function secretOf(key: MasterKey): Promise<string> {
  const [secret] = await signingSecrets([key], "acme");
  return secret ?? "";
}

const VERIFIERS = [
  ["standardwebhooks", (secret: string) => new StandardWebhook(secret)],
  ["svix", (secret: string) => new SvixWebhook(secret)],
] as const;

describe.each(VERIFIERS)("%s", (_, webhook) => {
  it.each([
    ["a plain answer", {}],
    ["non-ASCII text", { answer: '{"status":"success","output":["ü 漢字 🎈"]}', metadata: '{"名":"é"}' }],
    ["escaped slashes", { answer: '{"status":"success","output":["https:\\/\\/x\\/1.png"]}' }],
    [
      "escaped characters",
      { answer: '{"status":"success","output":["\\u00fc\\ud83c\\udf88\\u0000\\"\\\\"]}' },
    ],
    ["big integers", { answer: '{"status":"success","id":123456789012345678901,"output":[1e400,-0.0]}' }],
    ["white space and line ends", { answer: '{\r\n "status" : "success",\t"output": [ 1 ]\n}' }],
    ["separators that JavaScript once took for line ends", { metadata: '{"a":"\u2028\u2029"}' }],
    ["empty metadata", { metadata: "{}" }],
    ["the provider's format", { format: "provider" as const, metadata: '{"track_id":"t-1"}' }],
    ["1 MB of base64", { answer: `{"status":"success","output":"${"QUJDRA==".repeat(131_072)}"}` }],
  ])("verifies %s", async (_name, event) => {
    const sent = await delivered(event);
    const verify = webhook(await secretOf(NEWEST));
    expect(() => verify.verify(sent.body, sent.headers)).not.toThrow();
    expect(JSON.parse(sent.body)).toBeInstanceOf(Object);
  });

  it("verifies with the secret of every listed master key, and with no other", async () => {
    for (const masterKeys of [[NEWEST], [NEWEST, OLDER], [NEWEST, OLDER, OLDEST]]) {
      const sent = await delivered({}, masterKeys);
      for (const key of [NEWEST, OLDER, OLDEST, UNLISTED]) {
        const verify = webhook(await secretOf(key));
        if (masterKeys.includes(key)) expect(() => verify.verify(sent.body, sent.headers)).not.toThrow();
        else expect(() => verify.verify(sent.body, sent.headers)).toThrow("No matching signature");
      }
    }
  });

  it("refuses another tenant's secret", async () => {
    const sent = await delivered({});
    const [secret = ""] = await signingSecrets([NEWEST], "globex");
    expect(() => webhook(secret).verify(sent.body, sent.headers)).toThrow("No matching signature");
  });

  it("refuses a body of which any one byte was changed", async () => {
    const { body, headers } = await delivered({ answer: '{"status":"success","output":[1]}' });
    const verify = webhook(await secretOf(NEWEST));
    for (const at of [0, 1, Math.floor(body.length / 2), body.length - 1]) {
      const changed = body.slice(0, at) + (body[at] === "x" ? "y" : "x") + body.slice(at + 1);
      expect(() => verify.verify(changed, headers)).toThrow("No matching signature");
    }
    expect(() => verify.verify(`${body} `, headers)).toThrow("No matching signature");
    expect(() => verify.verify(body.slice(0, -1), headers)).toThrow("No matching signature");
  });

  it("refuses another id, timestamp or signature", async () => {
    const { body, headers } = await delivered({});
    const verify = webhook(await secretOf(NEWEST));
    const later = String(Number(headers["webhook-timestamp"]) + 1);
    const signature = (headers["webhook-signature"] ?? "").replace("v1,", "v2,");
    for (const change of [
      { "webhook-id": "msg_2" },
      { "webhook-timestamp": later },
      { "webhook-signature": signature },
    ])
      expect(() => verify.verify(body, { ...headers, ...change })).toThrow("No matching signature");
  });
});

describe("the two signatures of a rotation", () => {
  it("are what the newest and the older secret alone would have given", async () => {
    const { body, headers } = await delivered({ eventId: "msg_9" }, [NEWEST, OLDER]);
    const at = new Date(Number(headers["webhook-timestamp"]) * 1000);
    const alone = [NEWEST, OLDER].map(async (key) =>
      new StandardWebhook(await secretOf(key)).sign("msg_9", at, body),
    );
    expect(headers["webhook-signature"]).toBe((await Promise.all(alone)).join(" "));
  });
});
