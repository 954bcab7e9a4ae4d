/** Every way in which the callback receiver answers badly, seen from the sender's side of a real connection. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Receiver, type ReceiverStep, startReceiver } from "./receiver.ts";
import { post, postUnread, rawPost, readToEnd, until } from "./test-client.ts";

let receiver: Receiver;
const program = (...steps: ReceiverStep[]) => receiver.program("/hook/a", steps);
const deliver = () => post(receiver.hookUrl("a"), "{}");
const deliverUnread = () => postUnread(receiver.hookUrl("a"), "{}");
const statuses = () => receiver.deliveries("/hook/a").map(({ status }) => status);

beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(() => receiver.close());

describe("steps", () => {
  it("are consumed one a delivery, on their path only, before normal service", async () => {
    program({ kind: "fail", status: 500 }, { kind: "normal" }, { kind: "gone" });
    expect((await post(receiver.hookUrl("b"), "{}")).status).toBe(204);
    const seen = [await deliver(), await deliver(), await deliver(), await deliver()];
    expect(seen.map(({ status }) => status)).toEqual([500, 204, 410, 204]);
    expect(statuses()).toEqual([500, 204, 410, 204]);
  });

  it("replace those that are left", async () => {
    program({ kind: "gone" }, { kind: "gone" });
    program({ kind: "fail", status: 502 });
    expect([(await deliver()).status, (await deliver()).status]).toEqual([502, 204]);
  });

  it("leave the record of the signature as it was", async () => {
    receiver.setSecrets([`whsec_${Buffer.alloc(24, 1).toString("base64")}`]);
    program({ kind: "fail", status: 200 }, { kind: "normal" });
    expect([(await deliver()).status, (await deliver()).status]).toEqual([200, 401]);
    expect(receiver.deliveries()).toMatchObject([
      { status: 200, verified: false, verifyError: "Missing required headers" },
      { status: 401, verified: false },
    ]);
  });

  it("fail sends headers and body as given", async () => {
    program({ kind: "fail", status: 429, headers: { "x-a": "b" }, body: "too much" });
    const response = await deliverUnread();
    expect([response.status, response.headers.get("x-a"), await response.text()]).toEqual([
      429,
      "b",
      "too much",
    ]);
  });

  it("retry-after comes in seconds or as a date, with any status", async () => {
    const date = "Wed, 21 Oct 2026 07:28:00 GMT";
    program({ kind: "retry-after", after: 7 }, { kind: "retry-after", after: date, status: 429 });
    const [first, second] = [await deliverUnread(), await deliverUnread()];
    expect([first.status, first.headers.get("retry-after")]).toEqual([503, "7"]);
    expect([second.status, second.headers.get("retry-after")]).toEqual([429, date]);
  });

  it("redirect names the given location", async () => {
    program(
      { kind: "redirect", location: "/hook/b" },
      { kind: "redirect", location: "https://example.com/", status: 308 },
    );
    const [first, second] = [await deliverUnread(), await deliverUnread()];
    expect([first.status, first.headers.get("location")]).toEqual([302, "/hook/b"]);
    expect([second.status, second.headers.get("location")]).toEqual([308, "https://example.com/"]);
  });

  it("hang never answers, is recorded, and ends when the receiver closes", async () => {
    program({ kind: "hang" });
    const hanging = expect(deliver()).rejects.toThrow("fetch failed");
    expect(await receiver.waitFor(() => true, 5000)).toMatchObject({ body: "{}", status: null });
    await receiver.close();
    await hanging;
  });

  it("destroy closes the connection before anything is answered", async () => {
    program({ kind: "destroy" });
    expect(await readToEnd(rawPost(receiver.origin, "/hook/a", "{}"))).toBe("");
    expect(statuses()).toEqual([null]);
  });

  it("close-halfway sends half of what content-length promises", async () => {
    program({ kind: "close-halfway" });
    const [head = "", body = ""] = (await readToEnd(rawPost(receiver.origin, "/hook/a", "{}"))).split(
      "\r\n\r\n",
    );
    expect(head).toMatch(/^HTTP\/1.1 200 /);
    expect(Number(/content-length: (\d+)/i.exec(head)?.[1])).toBe(body.length * 2);
    expect(statuses()).toEqual([200]);
  });

  it("drip answers with headers at once and then a byte at a time", async () => {
    program({ kind: "drip", everyMs: 50 });
    const response = await deliverUnread();
    expect(response.status).toBe(200);
    const reader = response.body?.getReader();
    const chunks = [await reader?.read(), await reader?.read(), await reader?.read()];
    expect(chunks.every((chunk) => chunk?.done === false)).toBe(true);
    expect(statuses()).toEqual([200]);
    await reader?.cancel();
  });

  it("slow gives normal service late", async () => {
    program({ kind: "slow", ms: 50 });
    const pending = deliver();
    await until(() => statuses().length === 1);
    expect(statuses()).toEqual([null]);
    expect((await pending).status).toBe(204);
    expect(statuses()).toEqual([204]);
  });

  it("slow answers nothing to a sender that left", async () => {
    program({ kind: "slow", ms: 60_000 });
    const socket = rawPost(receiver.origin, "/hook/a", "{}");
    await until(() => statuses().length === 1);
    socket.destroy();
    expect((await deliver()).status).toBe(204);
    expect(statuses()).toEqual([null, 204]);
  });

  it("huge is a body of exactly that many bytes, with any status", async () => {
    const bytes = 2 * 1024 * 1024 + 1;
    program({ kind: "huge", bytes }, { kind: "huge", bytes, status: 500 });
    const [first, second] = [await deliver(), await deliver()];
    expect([first.status, first.text.length]).toEqual([200, bytes]);
    expect([second.status, second.text.length]).toEqual([500, bytes]);
  });

  it("huge waits for a sender that does not read, and outlives one that leaves", async () => {
    program({ kind: "huge", bytes: 2 ** 40 });
    const socket = rawPost(receiver.origin, "/hook/a", "{}");
    await until(() => statuses()[0] === 200);
    expect((await deliver()).status).toBe(204);
    socket.destroy();
    expect((await deliver()).status).toBe(204);
  });
});
