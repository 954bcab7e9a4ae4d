import { afterEach, describe, expect, it, vi } from "vitest";
import { describe as describeError, log, logError } from "../src/log.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const FUNCTIONS = [
  ["log", log, "log", "error"],
  ["logError", logError, "error", "log"],
] as const;

describe.each(FUNCTIONS)("%s", (_, write, method, other) => {
  it("prints one line of JSON that begins with the event", () => {
    const printed = vi.spyOn(console, method).mockImplementation(() => {});
    const silent = vi.spyOn(console, other).mockImplementation(() => {});
    write("job.polled", { job: "job_1", status: 200, ok: true, wait: null });
    expect(printed.mock.calls).toEqual([
      ['{"event":"job.polled","job":"job_1","status":200,"ok":true,"wait":null}'],
    ]);
    expect(silent).not.toHaveBeenCalled();
  });

  it("needs no fields", () => {
    const printed = vi.spyOn(console, method).mockImplementation(() => {});
    write("started");
    expect(printed.mock.calls).toEqual([['{"event":"started"}']]);
  });

  it("stays on one line, whatever a field holds", () => {
    const printed = vi.spyOn(console, method).mockImplementation(() => {});
    write("job.polled", { job: 'a\nb\r"c"' });
    const line = String(printed.mock.calls[0]?.[0]);
    expect(line).not.toMatch(/[\r\n]/);
    expect(JSON.parse(line)).toEqual({ event: "job.polled", job: 'a\nb\r"c"' });
  });
});

describe("a described error", () => {
  it("has its name and where it was thrown, and nothing of its message", () => {
    let caught: unknown;
    try {
      JSON.parse("sk-secret-in-a-body");
    } catch (error) {
      caught = error;
    }
    const text = describeError(caught);
    expect(text).toMatch(/^SyntaxError at /);
    expect(text).not.toContain("sk-secret");
  });

  it("may be anything that was thrown", () => {
    expect(describeError("sk-secret")).toBe("string");
    expect(describeError(null)).toBe("object");
  });
});
