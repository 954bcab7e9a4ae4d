import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { PollhookError, verifyWebhook, verifyWebhookText } from "../../src/client/index.ts";
import { rejection } from "./client-of.ts";

const SECRET = `whsec_${btoa("s".repeat(32))}`;
const OLDER = `whsec_${btoa("o".repeat(32))}`;
const OTHER = `whsec_${btoa("x".repeat(32))}`;
const NOW = 1_795_225_824_000;
const BODY = JSON.stringify({
  type: "job.succeeded",
  timestamp: "2026-11-20T12:00:21.000Z",
  data: { job_id: "job_1", output: ["ü 🎈"] },
});

/** A callback as an independent implementation signs it. */
function signed({ body = BODY, secrets = [SECRET], sentAt = NOW, id = "msg_1" } = {}) {
  const signatures = secrets.map((secret) => new Webhook(secret).sign(id, new Date(sentAt), body));
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(sentAt / 1000)),
    "webhook-signature": signatures.join(" "),
  };
  return { headers, body };
}

const requestOf = ({ headers, body }: ReturnType<typeof signed>): Request =>
  new Request("https://app.example/hook", { method: "POST", headers, body });

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  rejection(promise).then((error) => (error as { code: string }).code);

const verify = (
  message: Parameters<typeof verifyWebhook>[0],
  secret: Parameters<typeof verifyWebhook>[1] = SECRET,
  now = NOW,
) => verifyWebhook(message, secret, { now });

it("returns the event of a genuine request, with its id", async () => {
  expect(await verify(requestOf(signed()))).toEqual({ ...JSON.parse(BODY), id: "msg_1" });
});

it("verifies the known answer of the Standard Webhooks specification", async () => {
  const message = {
    headers: {
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    },
    body: '{"test": 2432232314}',
  };
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const now = 1_614_265_330_000;
  expect(await verifyWebhookText(message, secret, { now })).toEqual({
    id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
    timestamp: 1_614_265_330,
    body: message.body,
  });
  expect(await codeOf(verifyWebhook(message, secret, { now }))).toBe("webhook_body_unreadable");
});

it("takes headers and a body of any kind that servers have", async () => {
  const { headers, body } = signed();
  const upper = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]),
  );
  const bytes = new TextEncoder().encode(body);
  const padded = new Uint8Array([0, ...bytes, 0]).subarray(1, -1);
  for (const message of [
    { headers, body },
    { headers: upper, body },
    { headers: new Headers(headers), body: bytes },
    { headers: { ...headers, "set-cookie": ["a", "b"], host: undefined }, body: padded },
    { headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])), body },
    { headers, body: bytes.slice().buffer },
  ])
    expect(await verify(message)).toMatchObject({ type: "job.succeeded" });
});

it("hands the body over to the digit as text", async () => {
  const body = '{"id":123456789012345678901}';
  expect(await verifyWebhookText(signed({ body }), SECRET, { now: NOW })).toMatchObject({ body });
});

describe("a clock that differs", () => {
  it.each([
    ["300 s old", -300, null],
    ["301 s old", -301, "webhook_timestamp_refused"],
    ["300 s ahead", 300, null],
    ["301 s ahead", 301, "webhook_timestamp_refused"],
  ])("judges a request that is %s", async (_, seconds, code) => {
    const verified = verify(signed({ sentAt: NOW + seconds * 1000 }));
    if (code === null) await expect(verified).resolves.toMatchObject({ id: "msg_1" });
    else expect(await codeOf(verified)).toBe(code);
  });

  it.each(["", "soon", "-1", "1e9", "1795225824.5", " 1795225824", "9".repeat(13)])(
    "refuses %j",
    async (timestamp) => {
      const { headers, body } = signed();
      const code = timestamp === "" ? "webhook_header_missing" : "webhook_timestamp_refused";
      expect(await codeOf(verify({ headers: { ...headers, "webhook-timestamp": timestamp }, body }))).toBe(
        code,
      );
    },
  );
});

it("lets nothing pass by a clock that is no number", async () => {
  expect(await codeOf(verify(signed(), SECRET, Number.NaN))).toBe("webhook_timestamp_refused");
});

describe("rotation", () => {
  it("takes a request that both secrets signed with either, and with several at hand", async () => {
    const both = signed({ secrets: [SECRET, OLDER] });
    for (const secret of [SECRET, OLDER, [OTHER, OLDER], [SECRET, OTHER]])
      await expect(verify(both, secret)).resolves.toMatchObject({ id: "msg_1" });
    expect(await codeOf(verify(both, OTHER))).toBe("webhook_signature_refused");
  });

  it("takes what the older secret alone signed while the receiver knows both", async () => {
    await expect(verify(signed({ secrets: [OLDER] }), [SECRET, OLDER])).resolves.toBeDefined();
    expect(await codeOf(verify(signed({ secrets: [OLDER] }), [SECRET]))).toBe("webhook_signature_refused");
  });

  it.each([undefined, null, "", " "])("that is not under way leaves %j beside the secret", async (none) => {
    await expect(verify(signed(), [SECRET, none])).resolves.toBeDefined();
    await expect(verify(signed(), [none, SECRET])).resolves.toBeDefined();
    expect(await codeOf(verify(signed(), [OTHER, none]))).toBe("webhook_signature_refused");
  });

  it("passes over signatures of another version, or that are no base64", async () => {
    const { headers, body } = signed();
    const signature = `v1a,AAAA v1,%%% v1, v2 ${headers["webhook-signature"]}`;
    await expect(
      verify({ headers: { ...headers, "webhook-signature": signature }, body }),
    ).resolves.toBeDefined();
  });

  it("looks at the first sixteen signatures", async () => {
    const { headers, body } = signed();
    const behind = (count: number) => ({
      headers: {
        ...headers,
        "webhook-signature": `${"v1,AAAA ".repeat(count)}${headers["webhook-signature"]}`,
      },
      body,
    });
    await expect(verify(behind(15))).resolves.toBeDefined();
    expect(await codeOf(verify(behind(16)))).toBe("webhook_signature_refused");
  });
});

describe("tampering", () => {
  it("refuses a body of which any one byte was changed, added or lost", async () => {
    const { headers, body } = signed();
    for (let i = 0; i < body.length; i++) {
      const changed = body.slice(0, i) + (body[i] === "x" ? "y" : "x") + body.slice(i + 1);
      expect(await codeOf(verify({ headers, body: changed }))).toBe("webhook_signature_refused");
    }
    expect(await codeOf(verify({ headers, body: `${body} ` }))).toBe("webhook_signature_refused");
    expect(await codeOf(verify({ headers, body: body.slice(1) }))).toBe("webhook_signature_refused");
  });

  it("refuses another id, another time and a shortened signature", async () => {
    const { headers, body } = signed();
    for (const change of [
      { "webhook-id": "msg_2" },
      { "webhook-timestamp": String(NOW / 1000 + 1) },
      { "webhook-signature": headers["webhook-signature"].slice(0, 20) },
      { "webhook-signature": "v1,AAAA" },
      { "webhook-signature": headers["webhook-signature"].replace("v1,", "v2,") },
    ])
      expect(await codeOf(verify({ headers: { ...headers, ...change }, body }))).toBe(
        "webhook_signature_refused",
      );
  });

  it.each(["webhook-id", "webhook-timestamp", "webhook-signature"])(
    "refuses a request without %s",
    async (name) => {
      const { headers, body } = signed();
      expect(await codeOf(verify({ headers: { ...headers, [name]: undefined }, body }))).toBe(
        "webhook_header_missing",
      );
    },
  );

  it.each(["whsec_", "whsec_%%%", ""])("refuses %j as a secret", async (secret) => {
    expect(await codeOf(verify(signed(), secret))).toBe("webhook_secret_invalid");
  });

  it.each([
    [undefined],
    [null],
    [7],
    [{}],
    [[]],
    [[undefined, null, ""]],
    [[SECRET, "whsec_%%%"]],
    [[SECRET, 7]],
  ])("refuses %j as secrets, also beside a good one, whatever the request is", async (secret) => {
    for (const request of [signed(), { headers: {}, body: "" }]) {
      const error = await rejection(verifyWebhook(request, secret as string, { now: NOW }));
      expect(error).toBeInstanceOf(PollhookError);
      expect(error).toMatchObject({ code: "webhook_secret_invalid" });
      expect((error as PollhookError).detail).not.toContain("%%%");
    }
  });

  it("takes a header that stands there twice for none", async () => {
    const { headers, body } = signed();
    const id = headers["webhook-id"];
    expect(await codeOf(verify({ headers: { ...headers, "webhook-id": [id, id] }, body }))).toBe(
      "webhook_header_missing",
    );
  });

  it("says so when the body was read or parsed before", async () => {
    const request = requestOf(signed());
    await request.text();
    expect(await codeOf(verify(request))).toBe("webhook_body_unreadable");
    const parsed = { ...signed(), body: JSON.parse(BODY) };
    expect(await codeOf(verify(parsed))).toBe("webhook_body_unreadable");
    expect(await codeOf(verify(signed({ body: "no JSON" })))).toBe("webhook_body_unreadable");
  });
});
