/** The callback receiver under many requests at once: standing service, what is in flight, and that it bears a crowd. */
import type { Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { InFlightCount } from "./in-flight.ts";
import { type Receiver, startReceiver } from "./receiver.ts";
import { ask, post, rawPost, until } from "./test-client.ts";

const CROWD = 1_000;

let receiver: Receiver;
const sockets: Socket[] = [];
const deliver = (name = "a") => post(receiver.hookUrl(name), "{}");
/** Sends a delivery whose answer nobody waits for. */
function leave(name = "a"): Socket {
  const socket = rawPost(receiver.origin, `/hook/${name}`, "{}").on("error", () => {});
  sockets.push(socket);
  return socket;
}

beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await receiver.close();
});

describe("standing service", () => {
  it("is what every path gets, until told otherwise", async () => {
    receiver.serve({ kind: "fail", status: 503 });
    expect([(await deliver("a")).status, (await deliver("b")).status, (await deliver("a")).status]).toEqual([
      503, 503, 503,
    ]);
    receiver.serve({ kind: "normal" });
    expect((await deliver()).status).toBe(204);
  });

  it("comes after the steps of a path", async () => {
    receiver.serve({ kind: "gone" });
    receiver.program("/hook/a", [{ kind: "normal" }]);
    expect([(await deliver()).status, (await deliver()).status]).toEqual([204, 410]);
  });

  it("that hangs leaves the hanging to their end, and serves those who come after it", async () => {
    receiver.serve({ kind: "hang" });
    const hanging = leave();
    await until(() => receiver.deliveries().length === 1);
    receiver.serve({ kind: "normal" });
    expect((await deliver()).status).toBe(204);
    expect(receiver.deliveries().map(({ status }) => status)).toEqual([null, 204]);
    expect(hanging.destroyed).toBe(false);
  });

  it("is normal again after a reset", async () => {
    receiver.serve({ kind: "gone" });
    receiver.reset();
    expect((await deliver()).status).toBe(204);
  });

  it("is told over HTTP, and refused there with the field at fault", async () => {
    const put = async (body: object) => {
      const reply = await fetch(`${receiver.origin}/_sim/service`, {
        method: "PUT",
        body: JSON.stringify(body),
      });
      return { status: reply.status, json: await reply.json() };
    };
    expect(await put({ step: { kind: "gone" } })).toEqual({ status: 200, json: { step: { kind: "gone" } } });
    expect((await deliver()).status).toBe(410);
    for (const [body, field] of [
      [{}, "step"],
      [{ step: { kind: "sulk" } }, "step.kind"],
      [{ step: { kind: "slow" } }, "step.ms"],
      [{ step: { kind: "gone" }, path: "/hook/a" }, "path"],
    ] as const)
      expect(await put(body)).toMatchObject({ status: 422, json: { error: { field } } });
    expect((await deliver()).status).toBe(410);
    expect(() => receiver.serve({ kind: "slow", ms: -1 })).toThrow("serve: step.ms must be an integer");
  });
});

describe("what is in flight", () => {
  it("is counted from arrival to the answer or the end of the connection, by path and in all", async () => {
    receiver.program("/hook/a", [{ kind: "hang" }, { kind: "hang" }]);
    receiver.program("/hook/b", [{ kind: "hang" }]);
    leave("a");
    const second = leave("a");
    leave("b");
    await until(() => receiver.inFlight().now === 3);
    expect(receiver.inFlight("/hook/a")).toEqual({ now: 2, max: 2 });
    expect(receiver.inFlight("/hook/b")).toEqual({ now: 1, max: 1 });
    second.destroy();
    await until(() => receiver.inFlight().now === 2);
    expect(receiver.inFlight("/hook/a")).toEqual({ now: 1, max: 2 });
    expect(receiver.inFlight("/hook/c")).toEqual({ now: 0, max: 0 });
    expect((await ask(`${receiver.origin}/_sim/in-flight?path=/hook/a`)).json).toEqual({ now: 1, max: 2 });
    expect((await ask(`${receiver.origin}/_sim/in-flight`)).json).toEqual({ now: 2, max: 3 });
  });

  it("is one at a time where deliveries come one after the other", async () => {
    for (let i = 0; i < 5; i++) await deliver();
    expect(receiver.inFlight()).toMatchObject({ max: 1 });
  });

  it("begins its most anew at a reset, with those that are there", () => {
    const count = new InFlightCount();
    const [leaveA, leaveB] = [count.enter("/a"), count.enter("/a")];
    leaveA();
    leaveA();
    expect(count.of("/a")).toEqual({ now: 1, max: 2 });
    count.reset();
    expect([count.of("/a"), count.of()]).toEqual([
      { now: 1, max: 1 },
      { now: 1, max: 1 },
    ]);
    leaveB();
    expect(count.of()).toEqual({ now: 0, max: 1 });
  });
});

describe("a crowd", () => {
  it("that hangs keeps nobody else from being served, and each is recorded", async () => {
    receiver.serve({ kind: "hang" });
    for (let i = 0; i < CROWD; i++) leave("sick");
    await until(() => receiver.inFlight("/hook/sick").now === CROWD);
    receiver.serve({ kind: "normal" });
    const replies = await Promise.all(Array.from({ length: CROWD }, () => deliver("well")));
    expect(replies.every(({ status }) => status === 204)).toBe(true);
    expect(receiver.deliveries("/hook/sick").filter(({ status }) => status === null)).toHaveLength(CROWD);
    expect(receiver.deliveries("/hook/well")).toHaveLength(CROWD);
    expect(receiver.inFlight("/hook/sick")).toEqual({ now: CROWD, max: CROWD });
  });
});
