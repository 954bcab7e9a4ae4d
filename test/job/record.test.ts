import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { CHUNK_BYTES } from "../../src/chunks.ts";
import { type Job, MAX_TIMELINE_ENTRIES, type TimelineEntry, withEntry } from "../../src/job/record.ts";
import { INLINE_ANSWER_BYTES, JobStore } from "../../src/job/store.ts";
import { MAX_WAITERS, Waiters } from "../../src/job/waiters.ts";
import { waitingJob } from "../support/jobs.ts";

/** Runs in the storage of an object of its own. */
const inStorage = <T>(
  name: string,
  work: (store: JobStore, kv: DurableObjectStorage["kv"]) => T,
): Promise<T> =>
  runInDurableObject(env.JOB.getByName(name), (_, { storage }) => work(new JobStore(storage), storage.kv));

/** Bytes that differ from place to place. */
function bytesOfSize(size: number, salt = 0): Uint8Array {
  const bytes = new Uint8Array(size).fill(salt);
  for (let i = 0; i < size; i += 997) bytes[i] = i + (i >> 16) + salt;
  return bytes;
}

const jobWith = (bytes: Uint8Array | null, overrides: Partial<Job> = {}): Job =>
  waitingJob({ answer: bytes && { size: bytes.length, bytes, chunks: 0 }, ...overrides });

const keysOf = (kv: DurableObjectStorage["kv"]): string[] => [...kv.list()].map(([key]) => key);
const same = (a: Uint8Array | null, b: Uint8Array): boolean =>
  a?.length === b.length && crypto.subtle.timingSafeEqual(a, b);

describe("a stored job", () => {
  it("comes back as it was", async () => {
    const job = waitingJob({ metadata: '{"user":7}', crashes: 2, guarded: true });
    const loaded = await inStorage("as it was", (store) => {
      store.save(job);
      return store.load(job.id);
    });
    expect(loaded).toEqual(job);
  });

  it("is one row", async () => {
    const keys = await inStorage("one row", (store, kv) => {
      store.save(jobWith(bytesOfSize(10)));
      return keysOf(kv);
    });
    expect(keys).toEqual([`job/${waitingJob().id}`]);
  });

  it("is not there until it is saved", async () => {
    expect(await inStorage("nothing", (store) => [store.load("job_x"), store.all()])).toEqual([null, []]);
  });
});

describe("a stored answer", () => {
  it.each([
    ["nothing", 0, 0],
    ["32 KiB", INLINE_ANSWER_BYTES, 0],
    ["32 KiB and a byte", INLINE_ANSWER_BYTES + 1, 1],
    ["1 MiB", CHUNK_BYTES, 1],
    ["1 MiB and a byte", CHUNK_BYTES + 1, 2],
    ["3 MiB", 3 * CHUNK_BYTES, 3],
  ])("of %s comes back whole", async (name, size, chunks) => {
    const bytes = bytesOfSize(size);
    await inStorage(`answer of ${name}`, (store, kv) => {
      store.save(jobWith(bytes));
      const job = store.load(waitingJob().id);
      expect(job?.answer).toMatchObject({ size, chunks });
      expect(job?.answer?.bytes === null).toBe(chunks > 0);
      expect(keysOf(kv).filter((key) => key.startsWith("answer/"))).toHaveLength(chunks);
      expect(job && same(store.readAnswer(job), bytes)).toBe(true);
    });
  });

  it("that is a view keeps nothing of the buffer behind it", async () => {
    const whole = bytesOfSize(100_000);
    await inStorage("view", (store, kv) => {
      store.save(jobWith(whole.subarray(500, 600)));
      store.save({ ...jobWith(whole.subarray(0, 50_000)), id: "job_chunked" });
      expect(kv.get<Job>(`job/${waitingJob().id}`)?.answer?.bytes?.buffer.byteLength).toBe(100);
      expect(kv.get<Uint8Array>("answer/job_chunked/0")?.buffer.byteLength).toBe(50_000);
    });
  });

  it.each([
    ["a shorter one in chunks", CHUNK_BYTES + 5, 2],
    ["one of the same size", 3 * CHUNK_BYTES, 3],
    ["one that fits the row", 100, 0],
    ["an empty one", 0, 0],
  ])("that is replaced by %s leaves no row behind", async (name, size, chunks) => {
    await inStorage(`replaced by ${name}`, (store, kv) => {
      store.save(jobWith(bytesOfSize(3 * CHUNK_BYTES)));
      const before = store.load(waitingJob().id);
      const bytes = bytesOfSize(size, 7);
      store.save(jobWith(null, { answer: { size, bytes, chunks: before?.answer?.chunks ?? 0 } }));
      const after = store.load(waitingJob().id);
      expect(keysOf(kv)).toHaveLength(1 + chunks);
      expect(after && same(store.readAnswer(after), bytes)).toBe(true);
    });
  });

  it("survives saves that do not touch it", async () => {
    const bytes = bytesOfSize(CHUNK_BYTES + 1);
    await inStorage("untouched", (store) => {
      store.save(jobWith(bytes));
      for (let i = 0; i < 3; i++) {
        const job = store.load(waitingJob().id);
        if (job) store.save({ ...job, polls: i });
      }
      const job = store.load(waitingJob().id);
      expect(job && same(store.readAnswer(job), bytes)).toBe(true);
    });
  });

  it("is readable from a job that still carries it", async () => {
    const bytes = bytesOfSize(CHUNK_BYTES + 1);
    expect(await inStorage("carried", (store) => same(store.readAnswer(jobWith(bytes)), bytes))).toBe(true);
  });
});

describe("erasing", () => {
  it.each([
    ["without an answer", null],
    ["with an answer in the row", bytesOfSize(10)],
    ["with an answer in chunks", bytesOfSize(2 * CHUNK_BYTES + 1)],
  ])("a job %s leaves a note for the index, and with that, nothing", async (name, bytes) => {
    await inStorage(`erased ${name}`, (store, kv) => {
      const job = jobWith(bytes);
      store.save(job);
      store.bury(job);
      const note = { id: job.id, tenant: job.tenant, registeredAt: job.registeredAt };
      expect(store.erased(10)).toEqual([note]);
      expect(keysOf(kv)).toEqual([`erased/${job.id}/${job.registeredAt}`]);
      expect(store.isEmpty()).toBe(false);
      store.unbury([note]);
      expect(store.isEmpty()).toBe(true);
      expect(keysOf(kv)).toEqual([]);
    });
  });

  it("one of several jobs leaves the others whole", async () => {
    const bytes = bytesOfSize(CHUNK_BYTES + 1, 3);
    await inStorage("several", (store, kv) => {
      for (const id of ["job_a", "job_ab", "job_b"]) store.save({ ...jobWith(bytes), id });
      expect(store.all().map(({ id }) => id)).toEqual(["job_a", "job_ab", "job_b"]);
      const erase = (id: string) => {
        const job = store.load(id);
        if (job) store.bury(job);
        store.unbury(store.erased(10));
        return store.isEmpty();
      };
      expect(erase("job_a")).toBe(false);
      expect(store.all().map(({ id }) => id)).toEqual(["job_ab", "job_b"]);
      for (const job of store.all()) expect(same(store.readAnswer(job), bytes)).toBe(true);
      expect(erase("job_b")).toBe(false);
      expect(erase("job_ab")).toBe(true);
      expect(keysOf(kv)).toEqual([]);
    });
  });
});

describe("the timeline", () => {
  const entry = (type: TimelineEntry["type"], at: number): TimelineEntry => ({ type, at });
  /** The first entry, and then `types`, numbered. */
  const timelineOf = (types: readonly TimelineEntry["type"][]): TimelineEntry[] =>
    types.reduce<TimelineEntry[]>(
      (timeline, type, i) => withEntry(timeline, entry(type, i + 1)),
      [entry("registered", 0)],
    );
  const many = (type: TimelineEntry["type"], count: number): TimelineEntry["type"][] =>
    Array(count).fill(type);

  it("keeps 64 entries, and of 65 all but the oldest poll", () => {
    expect(MAX_TIMELINE_ENTRIES).toBe(64);
    expect(timelineOf(many("poll", 63)).map(({ at }) => at)).toEqual([...Array(64).keys()]);
    const full = timelineOf(many("poll", 64));
    expect(full).toHaveLength(64);
    expect(full.slice(0, 2).map(({ at }) => at)).toEqual([0, 2]);
  });

  it("drops polls before attempts", () => {
    const timeline = timelineOf([...many("poll", 20), ...many("attempt", 40), ...many("poll", 30)]);
    expect(timeline.filter(({ type }) => type === "attempt")).toHaveLength(40);
    expect(timeline[0]?.type).toBe("registered");
    expect(timeline.at(-1)?.at).toBe(90);
  });

  it("drops the oldest attempt where there is no poll left", () => {
    const timeline = timelineOf(many("attempt", 70));
    expect(timeline).toHaveLength(64);
    expect(timeline.map(({ at }) => at)).toEqual([0, ...[...Array(63).keys()].map((i) => i + 8)]);
  });

  it("always keeps the newest entry, a poll among attempts too", () => {
    const timeline = timelineOf([...many("attempt", 63), "poll"]);
    expect(timeline).toHaveLength(64);
    expect(timeline.at(-1)).toEqual(entry("poll", 64));
  });
});

describe("waiting for a change", () => {
  const settled = async (promise: Promise<void>): Promise<boolean> =>
    Promise.race([promise.then(() => true), scheduler.wait(5).then(() => false)]);

  it("ends when the job changes, for all who wait, and not when another does", async () => {
    const waiters = new Waiters();
    const both = [waiters.wait("a", 60_000), waiters.wait("a", 60_000)];
    waiters.wake("b");
    expect(await Promise.all(both.map(settled))).toEqual([false, false]);
    waiters.wake("a");
    expect(await Promise.all(both.map(settled))).toEqual([true, true]);
  });

  it("ends for one after the other, when a gap is asked for", async () => {
    const waiters = new Waiters();
    const ended: number[] = [];
    const all = [0, 1, 2].map((n) => waiters.wait("a", 60_000).then(() => ended.push(n)));
    waiters.wake("a", 30);
    await scheduler.wait(5);
    expect(ended).toEqual([0]);
    await Promise.all(all);
    expect(ended).toEqual([0, 1, 2]);
  });

  it("reaches those who come while earlier ones are still let go", async () => {
    const waiters = new Waiters();
    const earlier = [waiters.wait("a", 60_000), waiters.wait("a", 60_000)];
    waiters.wake("a", 20);
    waiters.wake("a");
    await Promise.all(earlier);
    const later = waiters.wait("a", 60_000);
    await scheduler.wait(40);
    waiters.wake("a");
    expect(await settled(later)).toBe(true);
  });

  it("ends after the time", async () => {
    expect(await settled(new Waiters().wait("a", 1))).toBe(true);
  });

  it("holds 32 callers of one job, and answers the 33rd at once", async () => {
    const waiters = new Waiters();
    const held = Array.from({ length: MAX_WAITERS }, () => waiters.wait("a", 60_000));
    expect(await settled(held[31] ?? Promise.resolve())).toBe(false);
    expect(await settled(waiters.wait("a", 60_000))).toBe(true);
    expect(await settled(waiters.wait("b", 60_000))).toBe(false);
    waiters.wake("a");
    waiters.wake("b");
    await Promise.all(held);
    const next = waiters.wait("a", 60_000);
    expect(await settled(next)).toBe(false);
    waiters.wake("a");
    expect(await settled(next)).toBe(true);
  });
});
