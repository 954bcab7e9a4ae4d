/** What counts cost by the list, and what the section says of them. */
import { describe, expect, it } from "vitest";
import { billOf, messagesBill, storageBill, totalOf, workflowBill } from "./bill.ts";
import { type Counts, SCENARIOS, SLEEPY } from "./counts.ts";
import { PRICES, type Price } from "./prices.ts";
import { type Counted, sectionOf } from "./report.ts";

const NONE = { requests: 0, rowsRead: 0, rowsWritten: 0, busyMs: 0 };
const counts: Counts = {
  workerRequests: 1,
  workerMs: 5,
  objects: {
    Job: { requests: 2, rowsRead: 20, rowsWritten: 6, busyMs: 1_000 },
    Tenant: { requests: 2, rowsRead: 10, rowsWritten: 2, busyMs: 0 },
    Limiter: NONE,
  },
  outbound: 2,
};
const workflow = { workerRequests: 1, invocations: 1, steps: 3, cpuMs: 5, outbound: 2, storedBytes: 1_000 };

describe("a million jobs", () => {
  it("cost what the list says for each part", () => {
    const bill = billOf(counts);
    const expected = {
      workerRequest: 0.3,
      workerCpu: 0.1,
      objectRequest: 0.6,
      objectTime: 1.6,
      rowRead: 0.03,
      rowWritten: 8,
    };
    expect(Object.keys(bill)).toEqual(Object.keys(expected));
    for (const [name, dollars] of Object.entries(expected))
      expect(bill[name as keyof typeof expected]).toBeCloseTo(dollars, 9);
    expect(totalOf(bill)).toBeCloseTo(10.63, 9);
  });

  it("that are stored for half a month cost half a month", () => {
    expect(totalOf(storageBill(1_000, 15))).toBeCloseTo(0.1, 9);
  });

  it("as Workflows cost their steps; as messages, each of them", () => {
    expect(workflowBill(workflow, 15).workflowStep).toBeCloseTo(24, 9);
    expect(totalOf(workflowBill(workflow, 15))).toBeCloseTo(0.3 + 0.3 + 0.1 + 24 + 0.1, 9);
    expect(totalOf(messagesBill(2))).toBeCloseTo(20, 9);
  });

  it("are priced by pages that can be looked up", () => {
    for (const { source, pageOf } of Object.values(PRICES) as Price[]) {
      expect(new URL(source).protocol).toBe("https:");
      if (pageOf !== null) expect(pageOf).toMatch(/^20\d\d-\d\d-\d\d$/);
    }
  });
});

describe("the section", () => {
  const counted: Counted = {
    cost: {
      lives: Object.fromEntries([...SCENARIOS, SLEEPY].map(({ name }) => [name, counts])),
      purge: counts,
      hourlyLook: { jobs: 1_000, counts },
      storedBytes: { job: 16_384, indexRow: 500 },
    },
    workflows: Object.fromEntries(
      SCENARIOS.filter(({ isWatched }) => !isWatched).map(({ name }) => [name, workflow]),
    ),
  };

  it("has a row for each life, and for its end, and each plot that it shows", () => {
    const { body, plots } = sectionOf(counted);
    for (const { name } of [...SCENARIOS, SLEEPY])
      expect(body).toContain(`\n| ${name} | 1 | 4 | 30 | 8 | 1.00 s | 2 |`);
    expect(body).toContain("\n| purge after retention |");
    const shown = [...body.matchAll(/\(plots\/(.*?)\.svg\)/g)].map(([, name]) => name);
    expect(shown).toEqual(plots.map(({ name }) => name));
  });

  it("compares what is alike: nobody watches a Workflow", () => {
    const { body } = sectionOf(counted);
    expect(body).toMatch(/\| happy path \| \$[\d.]+ \| \$[\d.]+ \| 3 \| \$20\.00 \| \$20\.00 \|/);
    expect(body).toMatch(/\| five failed attempts \| \$[\d.]+ \| \$[\d.]+ \| 3 \| \$70\.00 \| \$20\.00 \|/);
    expect(body).toMatch(/\| watched live for a minute \| \$[\d.]+ \| – \| – \| – \| – \|/);
  });

  it("does without nothing that was to be counted", () => {
    const { cost, workflows } = counted;
    expect(() => sectionOf({ cost: { ...cost, lives: {} }, workflows })).toThrow("Nobody has counted");
  });
});
