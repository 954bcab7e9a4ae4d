/** The section's text: what stands in its tables, and which ratios are related to a bar. */
import { describe, expect, it } from "vitest";
import type { Percentiles } from "../flow/figures.ts";
import { throughputPlots } from "./plots.ts";
import type { SubjectResult } from "./run.ts";
import { throughputBody } from "./section.ts";

const spread = (p50: number): Percentiles => ({
  count: 100,
  p50,
  p95: p50 * 1.5,
  p99: p50 * 2,
  max: p50 * 3,
});

const subject = (name: SubjectResult["name"], perSecond: number, weight: number): SubjectResult => ({
  name,
  label: name,
  registering: [1, 32, 128].map((connections) => ({
    connections,
    perSecond: perSecond + connections / 1000,
    latencyMs: spread(1000 / perSecond),
    cpuMs: 1.26,
  })),
  life: {
    jobs: 2000,
    perSecond: perSecond / 2,
    lagMs: spread(40),
    afterPollMs: spread(20),
    polls: 1,
    cpuMs: null,
  },
  waiting: { jobs: 10_000, memoryBytes: weight, diskBytes: weight / 2 },
});

const bodyOf = (...subjects: SubjectResult[]): string => throughputBody({ subjects, fsyncMs: spread(0.34) });

describe("the section on throughput", () => {
  it("has a row for each subject in each table, unknown figures as such", () => {
    const body = bodyOf(subject("floor", 200, 140_000));
    expect(body).toContain("| floor | 200 | 5.0 / 10 | 200 | 5.0 / 10 | 200 | 5.0 / 10 | 1.3 |");
    expect(body).toContain("| floor | 2000 | 100 | 40 / 80 | 20 / 40 | 1.00 | ? |");
    expect(body).toContain("| floor | 10000 | 140 | 70.0 |");
    expect(body).toContain("0.3 ms (p99 0.7)");
  });

  it("relates what was measured beside what it should be", () => {
    const body = bodyOf(
      subject("floor", 200, 140_000),
      subject("sharded", 1900, 14_000),
      subject("bullmq", 3800, 5_000),
    );
    expect(body).toContain("| sharded to floor: registration, 32 connections | 9.50 | at least 8 |  |");
    expect(body).toContain("| sharded to floor: whole life | 9.50 | at least 5 |  |");
    expect(body).toContain("| sharded to floor: memory of a waiting job | 0.10 | under 0.143 |  |");
    expect(body).toContain("| sharded to floor: disk of a waiting job | 0.10 | under 0.143 |  |");
    expect(body).toContain("| sharded to bullmq: whole life | 0.50 | more than 1 |  |");
  });

  it("says what a bare Worker with shared objects reaches of the same, and only of the same", () => {
    const body = bodyOf(
      subject("floor", 200, 140_000),
      subject("shared-floor", 1500, 7_000),
      subject("single", 180, 140_000),
      subject("sharded", 1000, 14_000),
    );
    expect(body).toContain("| sharded to floor: registration, 32 connections | 5.00 | at least 8 | 7.50 |");
    expect(body).toContain("| sharded to floor: memory of a waiting job | 0.10 | under 0.143 | 0.05 |");
    expect(body).toContain("| single to floor: registration, 32 connections | 0.90 | at least 0.8 |  |");
  });

  it("has no ratio to what was not measured", () => {
    expect(bodyOf(subject("single", 180, 140_000))).not.toContain("| ratio |");
    expect(bodyOf(subject("single", 180, 140_000), subject("workflow", 80, 640_000))).toContain(
      "| single to workflow: whole life | 2.25 | at least 2 |  |",
    );
  });
});

describe("its plots", () => {
  const svgs = (...subjects: SubjectResult[]) => throughputPlots(subjects).map(({ svg }) => svg);

  it("show each subject's jobs a second, registered and through their life, and its weight in KB", () => {
    const [jobs, weight] = svgs(subject("floor", 200, 140_000), subject("sharded", 1800, 14_000));
    for (const value of ["200", "1,800", "100", "900"]) expect(jobs).toContain(`>${value}</text>`);
    for (const value of ["140", "70", "14", "7"]) expect(weight).toContain(`>${value}</text>`);
  });

  it("leave out what nobody knows", () => {
    const unknown = subject("floor", 200, 140_000);
    const [, weight] = svgs({ ...unknown, waiting: { ...unknown.waiting, memoryBytes: null } });
    expect(weight).toContain("floor: unknown, 70.0");
    // The card, one in the legend, one bar.
    expect(weight?.match(/<rect /g)).toHaveLength(3);
  });
});
