/** The callback receiver over real HTTP: what it verifies, records and answers, its waits and its controls. */
import { createHash } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Delivery, type Receiver, startReceiver } from "./receiver.ts";
import { ask, post } from "./test-client.ts";
import { BODY_CAP_BYTES } from "./wire.ts";

const SECRET = `whsec_${Buffer.alloc(24, 1).toString("base64")}`;
const OLD_SECRET = `whsec_${Buffer.alloc(24, 2).toString("base64")}`;

let receiver: Receiver;
const seen: Delivery[] = [];

function signed(body: string, secret = SECRET, at = new Date()): Record<string, string> {
  return {
    "content-type": "application/json",
    "webhook-id": "msg_1",
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    "webhook-signature": new Webhook(secret).sign("msg_1", at, body),
  };
}
const deliver = (name: string, body: string, headers = signed(body)) =>
  post(receiver.hookUrl(name), body, headers);

beforeEach(async () => {
  seen.length = 0;
  receiver = await startReceiver({ secret: SECRET, onDelivery: (delivery) => seen.push(delivery) });
});
afterEach(() => receiver.close());

describe("verification", () => {
  it("answers 204 to a delivery that verifies, and records its exact bytes", async () => {
    const body = '{"emoji": "☃", "big": 12345678901234567890}';
    const { status } = await post(`${receiver.hookUrl("a/b")}?x=1&y`, body, signed(body));
    expect(status).toBe(204);
    const [delivery] = receiver.deliveries();
    expect(delivery).toMatchObject({
      path: "/hook/a/b",
      search: "x=1&y",
      method: "POST",
      body,
      verified: true,
      status: 204,
    });
    expect(delivery).not.toHaveProperty("verifyError");
    expect(delivery?.bodySha256).toBe(createHash("sha256").update(body).digest("hex"));
    expect(delivery?.headers).toMatchObject({ "webhook-id": "msg_1" });
    expect(seen).toEqual([delivery]);
  });

  it("takes deliveries on /hook itself", async () => {
    expect((await post(receiver.hookUrl(), "{}", signed("{}"))).status).toBe(204);
    expect(receiver.deliveries("/hook")).toHaveLength(1);
  });

  it("verifies a body that is not JSON", async () => {
    expect((await deliver("a", "not json")).status).toBe(204);
  });

  const tenMinutes = 600_000;
  it.each([
    ["another body", signed("{} "), "No matching signature found"],
    ["another secret", signed("{}", OLD_SECRET), "No matching signature found"],
    [
      "an old timestamp",
      signed("{}", SECRET, new Date(Date.now() - tenMinutes)),
      "Message timestamp too old",
    ],
    [
      "a future timestamp",
      signed("{}", SECRET, new Date(Date.now() + tenMinutes)),
      "Message timestamp too new",
    ],
    ["no signature", { "content-type": "application/json" }, "Missing required headers"],
  ])("answers 401 to %s and says why", async (_, headers, verifyError) => {
    expect((await deliver("a", "{}", headers)).status).toBe(401);
    expect(receiver.deliveries()).toMatchObject([{ verified: false, verifyError, status: 401 }]);
  });

  it("takes any of several secrets, set later", async () => {
    receiver.setSecrets([OLD_SECRET, SECRET]);
    expect((await deliver("a", "{}", signed("{}", OLD_SECRET))).status).toBe(204);
    expect((await deliver("a", "{}", signed("{}", SECRET))).status).toBe(204);
    receiver.setSecrets([OLD_SECRET]);
    expect((await deliver("a", "{}", signed("{}", SECRET))).status).toBe(401);
  });

  it("takes everything, unverified, without a secret", async () => {
    receiver.setSecrets([]);
    expect((await deliver("a", "{}")).status).toBe(204);
    expect(receiver.deliveries()).toMatchObject([{ verified: false, verifyError: "no secret configured" }]);
  });

  it("refuses a secret that is not base64", () => {
    expect(() => receiver.setSecrets(["whsec_%%%"])).toThrow();
  });
});

describe("limits", () => {
  it("records another method as refused, so that a followed redirect shows", async () => {
    expect((await ask(receiver.hookUrl("a"))).status).toBe(405);
    expect(receiver.deliveries()).toMatchObject([{ method: "GET", status: 405, verified: false }]);
  });

  it("answers 404 outside of its hooks, and records nothing", async () => {
    expect((await post(`${receiver.origin}/hooks`, "{}")).status).toBe(404);
    expect(receiver.deliveries()).toEqual([]);
  });

  it("reads a body at its cap, and refuses one over it", async () => {
    receiver.setSecrets([]);
    const atLimit = "a".repeat(BODY_CAP_BYTES);
    expect((await deliver("at", atLimit, {})).status).toBe(204);
    expect(receiver.deliveries("/hook/at")[0]?.body.length).toBe(BODY_CAP_BYTES);
    expect((await deliver("over", `${atLimit}a`, {})).status).toBe(413);
    expect(receiver.deliveries("/hook/over")).toMatchObject([{ body: "", verified: false, status: 413 }]);
  });
});

describe("waiting", () => {
  it("finds a delivery that already came, and one that comes later", async () => {
    await deliver("a", "1");
    expect(await receiver.waitFor(({ path }) => path === "/hook/a", 1)).toMatchObject({ body: "1" });
    const later = receiver.waitFor(({ body }) => body === "2", 5000);
    await deliver("a", "2");
    expect(await later).toMatchObject({ body: "2", status: 204 });
  });

  it("counts the deliveries of one path", async () => {
    const three = receiver.waitForCount("/hook/a", 3, 5000);
    for (const body of ["1", "2", "3"]) {
      await deliver("other", body);
      await deliver("a", body);
    }
    expect((await three).map(({ path, body }) => `${path} ${body}`)).toEqual([
      "/hook/a 1",
      "/hook/a 2",
      "/hook/a 3",
    ]);
  });

  it("sees the answer of a slow delivery once it is there", async () => {
    receiver.program("/hook/a", [{ kind: "slow", ms: 30 }]);
    const answered = receiver.waitFor(({ status }) => status === 204, 5000);
    await Promise.all([deliver("a", "{}"), answered]);
    expect(receiver.deliveries()).toEqual([await answered]);
  });

  it("says what came instead when the time is up", async () => {
    await deliver("a", "{}", {});
    await expect(receiver.waitForCount("/hook/b", 2, 10)).rejects.toThrow(
      "0 of 2 expected deliveries came within 10 ms; 1 seen in all\n  POST /hook/a -> 401 (not verified: Missing required headers)",
    );
  });

  it("fails with its predicate, while the delivery is answered", async () => {
    const broken = expect(receiver.waitFor(({ body }) => JSON.parse(body) === 1, 5000)).rejects.toThrow(
      "JSON",
    );
    expect((await deliver("a", "not json")).status).toBe(204);
    await broken;
  });

  it("ends with the receiver", async () => {
    const ended = expect(receiver.waitFor(() => false, 60_000)).rejects.toThrow("the receiver was closed");
    await receiver.close();
    await ended;
  });
});

describe("control over HTTP", () => {
  const control = (route: string, body: object | string) => post(`${receiver.origin}/_sim/${route}`, body);

  it("sets the secrets and programs a path", async () => {
    expect(await control("secrets", { secrets: [OLD_SECRET] })).toMatchObject({
      status: 201,
      json: { secrets: 1 },
    });
    expect((await deliver("a", "{}")).status).toBe(401);
    const program = { path: "/hook/a", steps: [{ kind: "fail", status: 503 }] };
    expect(await control("program", program)).toMatchObject({
      status: 201,
      json: { path: "/hook/a", steps: 1 },
    });
    expect((await deliver("a", "{}")).status).toBe(503);
  });

  it("lists the deliveries of a path, or of all", async () => {
    await deliver("a", "1");
    await deliver("b", "2");
    expect((await ask(`${receiver.origin}/_sim/deliveries?path=/hook/b`)).json).toEqual(
      receiver.deliveries("/hook/b"),
    );
    expect((await ask(`${receiver.origin}/_sim/deliveries`)).json).toMatchObject([
      { body: "1" },
      { body: "2" },
    ]);
  });

  it("goes back to how it was started", async () => {
    receiver.setSecrets([OLD_SECRET]);
    receiver.program("/hook/a", [{ kind: "gone" }]);
    await deliver("a", "{}");
    receiver.program("/hook/a", [{ kind: "gone" }]);
    expect((await ask(`${receiver.origin}/_sim`, "DELETE")).status).toBe(204);
    expect(receiver.deliveries()).toEqual([]);
    expect((await deliver("a", "{}")).status).toBe(204);
  });

  it.each([
    ["secrets", "nonsense", "body"],
    ["secrets", {}, "secrets"],
    ["secrets", { secrets: "whsec_" }, "secrets"],
    ["secrets", { secrets: ["whsec_%%%"] }, "secrets[0]"],
    ["program", { steps: [] }, "path"],
    ["program", { path: "/other", steps: [] }, "path"],
    ["program", { path: "/hook/a" }, "steps"],
    ["program", { path: "/hook/a", steps: [{ kind: "gone" }, { kind: "fail" }] }, "steps[1].status"],
    ["program", { path: "/hook/a", steps: [{ kind: "retry-after", after: -1 }] }, "steps[0].after"],
    ["program", { path: "/hook/a", steps: [{ kind: "sleep" }] }, "steps[0].kind"],
    ["program", { path: "/hook/a", steps: [{ kind: "slow", ms: 1, s: 1 }] }, "steps[0].s"],
  ])("refuses %s of %j with 422, naming %s", async (route, body, field) => {
    expect(await control(route, body)).toMatchObject({ status: 422, json: { error: { field } } });
  });

  it("throws, naming the field, in the same process", () => {
    expect(() => receiver.program("/elsewhere", [])).toThrow("program: path must be a string like /hook/a");
  });
});
