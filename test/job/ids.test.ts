import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isJobId, jobId, newEventId } from "../../src/job/ids.ts";

describe("a job's id", () => {
  it("is the first 160 bits of SHA-256 over the length-prefixed identity, in base32", async () => {
    // printf '4:acme2:v38:12202888' | openssl dgst -sha256 -binary | head -c 20 | base32 | tr A-Z a-z
    expect(await jobId("acme", "v3", "12202888")).toBe("job_qokvcray6yleaiblbv27zygzq2mtigv4");
  });

  it("differs wherever the identity does, however its parts are cut", async () => {
    const part = fc.string({ minLength: 1, maxLength: 4, unit: fc.constantFrom("a", "1", ":", "/", "ü") });
    const identity = fc.tuple(part, part, part);
    await fc.assert(
      fc.asyncProperty(identity, identity, async (a, b) => {
        const same = a.every((text, i) => text === b[i]);
        expect((await jobId(...a)) === (await jobId(...b))).toBe(same);
      }),
    );
    expect(await jobId("a", "1:b", "c")).not.toBe(await jobId("a1:b", "", "c"));
  });

  it("is told from anything else", async () => {
    expect(isJobId(await jobId("acme", "v3", "1"))).toBe(true);
    const id = "job_qokvcray6yleaiblbv27zygzq2mtigv4";
    for (const text of [
      "",
      "job_",
      id.slice(1),
      id.slice(0, -1),
      `${id}a`,
      `${id}\n`,
      id.toUpperCase(),
      `job_${"1".repeat(32)}`,
    ])
      expect(isJobId(text)).toBe(false);
  });
});

describe("an event's id", () => {
  it("is 160 random bits in base32", () => {
    const ids = Array.from({ length: 100 }, newEventId);
    for (const id of ids) expect(id).toMatch(/^msg_[a-z2-7]{32}$/);
    expect(new Set(ids).size).toBe(100);
  });
});
