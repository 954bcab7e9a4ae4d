/**
 * How long a tenant's object takes over a page of 200, with 100,000 jobs in its index: `npm run bench:list`.
 */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { rowOf } from "../../src/job/row.ts";
import type { JobFilter } from "../../src/tenant/query.ts";
import { endedJob, SUCCEEDED, waitingJob } from "../support/jobs.ts";

const JOBS = 100_000;
const RUNS = 9;
const START = Date.now() - JOBS * 10;
const HOUR = 3_600_000;

function row(n: number) {
  const facts = {
    id: `job_${n
      .toString(26)
      .padStart(32, "a")
      .replace(/\d/g, (d) => "qrstuvwxyz"[Number(d)] ?? "q")}`,
    requestId: String(20_000_000 + n),
    endpoint: n % 3 === 0 ? "v6/video" : "v3",
    callbackUrl: `https://hooks-${n % 7}.example.com/modelslab/finished`,
    metadata: `{"user":${n},"plan":"pro"}`,
    index: ["user", "plan"],
    registeredAt: START + n * 10,
    revision: 3,
  };
  return rowOf(n % 50 === 0 ? waitingJob(facts) : endedJob(SUCCEEDED, facts, START + n * 10 + 20_000), HOUR);
}

const QUERIES: readonly (readonly [string, JobFilter, number])[] = [
  ["the first page", {}, 200],
  ["status=waiting (one in fifty)", { status: "waiting" }, 200],
  ["endpoint and host", { endpoint: "v6/video", host: "hooks-3.example.com" }, 200],
  ["a request_id, the oldest of all", { requestId: "20000000" }, 1],
  ["metadata.user, the oldest of all", { metadata: [["user", "0"]] }, 1],
  ["an outcome that nobody had", { outcome: "expired" }, 0],
  [
    "three metadata, status and time, nobody",
    {
      metadata: [
        ["user", "x"],
        ["plan", "pro"],
        ["x", "y"],
      ],
      status: "delivering",
      createdAfter: START,
    },
    0,
  ],
];

it("lists", async () => {
  const object = env.TENANT.getByName("bench");
  for (let n = 0; n < JOBS; n += 1_000) await object.put(Array.from({ length: 1_000 }, (_, i) => row(n + i)));
  await runInDurableObject(object, async (tenant, { storage }) => {
    console.log(
      `${JOBS} jobs, ${(storage.sql.databaseSize / 1e6).toFixed(1)} MB; ms of ${RUNS} runs: first, median, slowest`,
    );
    for (const [name, filter, expected] of QUERIES) {
      const times: number[] = [];
      for (let run = 0; run < RUNS; run++) {
        const startedAt = performance.now();
        const { jobs } = await tenant.list(filter, null, 200);
        times.push(performance.now() - startedAt);
        expect(jobs).toHaveLength(expected);
      }
      const first = times[0] ?? 0;
      const sorted = [...times].sort((a, b) => a - b);
      const shown = [first, sorted[Math.floor(RUNS / 2)] ?? 0, sorted.at(-1) ?? 0].map((ms) =>
        ms.toFixed(0).padStart(4),
      );
      console.log(`${shown.join("  ")}  ${name}`);
    }
  });
});
