import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { alarmOf, fire } from "../support/api.ts";
import { bodyOf, HOOK, leave, newJob, runAlarm, success } from "../support/life.ts";
import { json, type Script, ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

const MIB = 1024 * 1024;

/** A body made chunk by chunk, and what became of it. */
class Streamed {
  /** Bytes handed out. */
  sent = 0;
  canceled = false;
  readonly script: Script;

  /** `chunk` answers with the next bytes, `null` at the end, or throws where the connection breaks. */
  constructor(code: number, chunk: (sent: number) => Uint8Array | null | Promise<Uint8Array | null>) {
    this.script = () => {
      const stream = new ReadableStream<Uint8Array>({
        pull: async (controller) => {
          const bytes = await chunk(this.sent);
          if (!bytes) return controller.close();
          this.sent += bytes.length;
          controller.enqueue(bytes);
        },
        cancel: () => {
          this.canceled = true;
        },
      });
      return new Response(stream, { status: code });
    };
  }
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const LARGE = 100 * MIB;
const largeAnswer = (): Streamed =>
  new Streamed(200, (sent) => {
    if (sent === 0) return text('{"status":"success","output":["');
    return sent < LARGE ? new Uint8Array(MIB).fill(0x78) : null;
  });

async function polledOnce(script: Script) {
  const job = await newJob();
  fetched.on(job.poll, script).always(HOOK, status(200));
  await fire(job.id);
  return { ...job, body: await bodyOf(job.id) };
}

async function attemptedOnce(script: Script) {
  const job = await newJob();
  fetched.on(job.poll, success).on(HOOK, script);
  await fire(job.id);
  return { ...job, body: await bodyOf(job.id) };
}

describe("a provider", () => {
  it("that answers with 100 MB is cut off at the cap, and the job fails", async () => {
    const answer = largeAnswer();
    const { body } = await polledOnce(answer.script);
    expect(body).toMatchObject({
      status: "delivered",
      outcome: "failed",
      error: { reason: "output_too_large" },
    });
    expect(body.result).toBeNull();
    expect(answer.sent).toBeLessThan(11 * MIB);
    await vi.waitFor(() => expect(answer.canceled).toBe(true));
  });

  it.each([
    ["at the cap is taken", 0, "succeeded"],
    ["a byte over it is too large", 1, "failed"],
  ])("whose answer is %s", async (_, more, outcome) => {
    const head = '{"status":"success","output":["';
    const fill = "x".repeat(8 * MIB - head.length - '"]}'.length + more);
    const { body } = await polledOnce(json(`${head}${fill}"]}`));
    expect(body).toMatchObject({
      outcome,
      error: outcome === "failed" ? { reason: "output_too_large" } : null,
    });
  });

  it.each([
    [401, { message: "Unauthenticated." }],
    [403, { status: "processing" }],
    [402, { status: "success", output: ["u"] }],
  ])(
    "whose status %i alone says that it failed is told of as a failure, in its own format too: %j",
    async (code, body) => {
      const job = await newJob({ format: "provider" });
      fetched.on(job.poll, json(body, { status: code })).on(HOOK, status(200));
      await fire(job.id);
      expect(JSON.parse(fetched.to(HOOK)[0]?.body ?? "")).toEqual({
        status: "failed",
        id: Number(job.requestId),
        message: expect.stringMatching(/^The provider /),
        output: [],
      });
    },
  );

  it("that closes half-way, cleanly or not, is asked again", async () => {
    let sent = false;
    const half = () => {
      sent = !sent;
      return sent ? text('{"status":"success","output":["https') : null;
    };
    const clean = await polledOnce(new Streamed(200, half).script);
    expect(clean.body.timeline.at(-1)).toMatchObject({ result: "transient", reason: "not_json" });
    const broken = await polledOnce(
      new Streamed(200, (sent) => {
        if (sent > 0) throw new Error("connection reset");
        return text('{"status":"success","output":["https');
      }).script,
    );
    expect(broken.body.timeline.at(-1)).toMatchObject({ result: "transient", reason: "network" });
    expect(broken.body).toMatchObject({ status: "waiting", result: null });
  });

  it.each([301, 302, 303, 307, 308])(
    "that redirects to a private address with %i is not followed",
    async (code) => {
      const { id, body } = await polledOnce(status(code, { location: "http://169.254.169.254/latest" }));
      expect(fetched.sent).toHaveLength(1);
      expect(vi.mocked(fetch).mock.calls.map(([, init]) => init?.redirect)).toEqual(["manual"]);
      expect(body.timeline.at(-1)).toMatchObject({
        result: "transient",
        reason: "redirect",
        http_status: code,
      });
      expect(await alarmOf(id)).not.toBeNull();
    },
  );

  it.each<[string, Script]>([
    [
      "a thrown string",
      () => {
        throw "no error object";
      },
    ],
    ["an error without a message", () => Promise.reject(new TypeError())],
    ["nothing", () => Promise.reject(undefined)],
    ["an answer of type error", () => Response.error()],
    [
      "a body that was read already",
      async () => {
        const response = new Response("{}");
        await response.text();
        return response;
      },
    ],
    ["no body at all", () => new Response(null)],
    ["200 with a byte that is no UTF-8", () => new Response(new Uint8Array([0x7b, 0xff, 0x7d]))],
    ["JSON nested 20,000 deep", json(`{"status":${"[".repeat(20_000)}${"]".repeat(20_000)}}`)],
  ])("that brings %s never makes the alarm throw", async (_, script) => {
    const { id, body } = await polledOnce(script);
    expect(body).toMatchObject({ status: "waiting", polls: 1 });
    expect(await alarmOf(id)).not.toBeNull();
    await expect(runAlarm(id)).resolves.toBeUndefined();
  });
});

describe("a callback", () => {
  it("that accepts and then drips is delivered, and let go after a second", async () => {
    const drip = new Streamed(200, () => scheduler.wait(20).then(() => text(".")));
    const { body } = await attemptedOnce(drip.script);
    expect(body).toMatchObject({ status: "delivered", attempts: 1 });
    await vi.waitFor(() => expect(drip.canceled).toBe(true));
  });

  it("that refuses with 100 MB has the first 256 bytes kept and the rest cut off", async () => {
    const refusal = new Streamed(500, (sent) => (sent < LARGE ? new Uint8Array(MIB).fill(0x79) : null));
    const { body } = await attemptedOnce(refusal.script);
    expect(body.timeline.at(-1)).toMatchObject({ http_status: 500, response: "y".repeat(256) });
    expect(refusal.sent).toBeLessThan(4 * MIB);
    await vi.waitFor(() => expect(refusal.canceled).toBe(true));
  });

  it("that accepts and then breaks the connection is delivered", async () => {
    const broken = new Streamed(200, (sent) => {
      if (sent > 0) throw new Error("connection reset");
      return text("o");
    });
    expect((await attemptedOnce(broken.script)).body).toMatchObject({ status: "delivered" });
  });

  it("that redirects to a private address is not followed", async () => {
    const { body } = await attemptedOnce(status(307, { location: "http://10.0.0.1/" }));
    expect(fetched.sent).toHaveLength(2);
    expect(vi.mocked(fetch).mock.calls.map(([, init]) => init?.redirect)).toEqual(["manual", "manual"]);
    expect(body).toMatchObject({ status: "delivering", attempts: 1 });
  });

  it.each<[string, Script]>([
    ["a thrown string", () => Promise.reject("no")],
    ["nothing", () => Promise.reject(undefined)],
    ["an answer of type error", () => Response.error()],
  ])("that brings %s is attempted again", async (_, script) => {
    const { id, body } = await attemptedOnce(script);
    expect(body).toMatchObject({ status: "delivering", attempts: 1 });
    expect(await alarmOf(id)).toBe(Date.parse(body.next_attempt_at));
  });
});
