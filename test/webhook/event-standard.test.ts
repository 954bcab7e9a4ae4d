import { describe, expect, it } from "vitest";
import { joinParts } from "../../src/json.ts";
import { buildEvent, type EventAnswer, type EventFacts } from "../../src/webhook/event.ts";

const FACTS: EventFacts = {
  jobId: "job_abc",
  endpoint: "v4/dreambooth",
  requestId: "13443927",
  outcome: "succeeded",
  error: null,
  metadata: '{"user":7}',
  registeredAt: Date.UTC(2026, 10, 20, 11, 59, 50, 7),
  finishedAt: Date.UTC(2026, 10, 20, 12),
  polls: 2,
};

/** The body's text; `answer` is the provider's stored answer. */
function textOf(overrides: Partial<EventFacts>, answer: string | null, final = true): string {
  const bytes = answer === null ? null : new TextEncoder().encode(answer);
  const seen: EventAnswer | null = bytes && (final ? { final, bytes } : { final, size: bytes.length });
  const parts = buildEvent("standard", { ...FACTS, ...overrides }, seen);
  return new TextDecoder().decode(joinParts(parts, bytes).bytes);
}

describe("the standard event of a success", () => {
  it("is exactly this text", () => {
    const answer =
      '{"status":"success","id":13443927,"output":["https://x/1.png"],"proxy_links":["https://y/1.png"]}';
    expect(textOf({}, answer)).toBe(
      '{"type":"job.succeeded","timestamp":"2026-11-20T12:00:00.000Z","data":{' +
        '"job_id":"job_abc","endpoint":"v4/dreambooth","request_id":"13443927",' +
        '"output":["https://x/1.png"],"proxy_links":["https://y/1.png"],' +
        `"provider":${answer},` +
        '"error":null,"metadata":{"user":7},' +
        '"registered_at":"2026-11-20T11:59:50.007Z","finished_at":"2026-11-20T12:00:00.000Z","polls":2}}',
    );
  });

  it.each([
    ["an array", '["a",["b"]]'],
    ["a string", '"QUJD"'],
    ["an object", '{"0":{"url":"x"}}'],
    ["a number", "7"],
  ])("hands on output that is %s as it is", (_, output) => {
    const { data } = JSON.parse(textOf({}, `{"status":"success","output":${output}}`));
    expect(data.output).toEqual(JSON.parse(output));
    expect(data.proxy_links).toBeNull();
  });

  it.each([
    [
      "big integers",
      '{"status":"success","id":123456789012345678901234567890,"output":[12345678901234567890]}',
    ],
    ["odd numbers", '{"status":"success","output":[1.0,1E5,-0,0.10,1e400]}'],
    [
      "key order, integer-like keys too",
      '{"z":1,"10":2,"output":{"b":1,"2":2,"1":3,"a":4},"status":"success"}',
    ],
    ["repeated keys", '{"status":"success","a":1,"output":["first"],"a":2,"output":["last"]}'],
    [
      "escapes",
      '{"status":"success","output":["https:\\/\\/x\\/1.png","\\u00fc","\\ud800","\\b\\f\\n\\\\\\""]}',
    ],
    ["white space inside", '{ "status" :\n\t"success" , "output" : [ 1 ,\r\n 2 ] }'],
    ["braces and quotes in strings", '{"a":"}],\\"output\\":[0]","status":"success","output":["{[\\\\"]}'],
    ["an escaped name", '{"status":"success","\\u006futput":["escaped"]}'],
    ["a __proto__ member", '{"status":"success","__proto__":{"output":[0]},"output":[1]}'],
    ["non-ASCII text", '{"status":"success","ü":"漢字","output":["🎈","\u2028"]}'],
  ])("splices %s byte for byte", (_, answer) => {
    const text = textOf({}, answer);
    const spliced = text.slice(
      text.indexOf('"provider":') + '"provider":'.length,
      text.lastIndexOf(',"error":null'),
    );
    expect(spliced.endsWith(answer)).toBe(true);
    const { data } = JSON.parse(text);
    expect(data.output).toEqual(JSON.parse(answer).output);
  });

  it("writes the output with the provider's own digits and escapes, outside of `provider` too", () => {
    const output = '[12345678901234567890,"https:\\/\\/x",1.0]';
    expect(textOf({}, `{"status":"success","output":${output}}`)).toContain(
      `"request_id":"13443927","output":${output},"proxy_links":null`,
    );
  });

  it("never takes future_links or a nested output for the output", () => {
    const answer = '{"future_links":["f"],"meta":{"output":["m"]},"status":"success","output":["o"]}';
    expect(JSON.parse(textOf({}, answer)).data.output).toEqual(["o"]);
    const without = '{"future_links":["f"],"meta":{"output":["m"]},"status":"success"}';
    expect(JSON.parse(textOf({}, without)).data.output).toBeNull();
  });

  it("splices the metadata as the caller wrote it", () => {
    const metadata = '{ "n": 12345678901234567890, "b": 1.0,\n"a\\/b": "\\u00fc", "output": ["mine"] }';
    const text = textOf({ metadata }, '{"status":"success","output":["o"]}');
    expect(text).toContain(`"metadata":${metadata},"registered_at"`);
    expect(JSON.parse(text).data).toMatchObject({ output: ["o"], metadata: { output: ["mine"] } });
  });

  it("carries empty metadata as an empty object", () => {
    expect(textOf({ metadata: "{}" }, '{"status":"success","output":[1]}')).toContain('"metadata":{},');
  });
});

describe("the standard event of a failure", () => {
  const error = { reason: "provider_error", message: 'No "GPU"\n\u2028 left \ud800' };

  it("is exactly this text", () => {
    const answer = '{"status":"error","messege":"No GPU left"}';
    const simple = { reason: "provider_error", message: "No GPU left" };
    expect(textOf({ outcome: "failed", error: simple, metadata: "{}" }, answer)).toBe(
      '{"type":"job.failed","timestamp":"2026-11-20T12:00:00.000Z","data":{' +
        '"job_id":"job_abc","endpoint":"v4/dreambooth","request_id":"13443927",' +
        `"output":null,"proxy_links":null,"provider":${answer},` +
        '"error":{"reason":"provider_error","message":"No GPU left"},"metadata":{},' +
        '"registered_at":"2026-11-20T11:59:50.007Z","finished_at":"2026-11-20T12:00:00.000Z","polls":2}}',
    );
  });

  it("has no output, whatever the answer holds", () => {
    const answer = '{"status":"failed","output":["half.png"],"proxy_links":["p"]}';
    const { data } = JSON.parse(textOf({ outcome: "failed", error }, answer));
    expect(data).toMatchObject({ output: null, proxy_links: null, provider: { output: ["half.png"] } });
  });

  it("writes any message as JSON", () => {
    const message = new TextDecoder().decode(new TextEncoder().encode(error.message));
    const { data } = JSON.parse(textOf({ outcome: "failed", error }, null));
    expect(new TextDecoder().decode(new TextEncoder().encode(data.error.message))).toBe(message);
  });

  it.each(["output_too_large", "empty_output", "internal_error", "key_unreadable"])(
    "shows for %s the last answer that was seen, without believing its output",
    (reason) => {
      const answer = '{"status":"processing","output":["not yet"]}';
      const { type, data } = JSON.parse(
        textOf({ outcome: "failed", error: { reason, message: "m" } }, answer, false),
      );
      expect(type).toBe("job.failed");
      expect(data).toMatchObject({
        output: null,
        error: { reason, message: "m" },
        provider: JSON.parse(answer),
      });
    },
  );
});

describe("the standard event of an expiry", () => {
  it("is exactly this text when nothing was ever answered", () => {
    expect(textOf({ outcome: "expired", polls: 0 }, null)).toBe(
      '{"type":"job.expired","timestamp":"2026-11-20T12:00:00.000Z","data":{' +
        '"job_id":"job_abc","endpoint":"v4/dreambooth","request_id":"13443927",' +
        '"output":null,"proxy_links":null,"provider":null,"error":null,"metadata":{"user":7},' +
        '"registered_at":"2026-11-20T11:59:50.007Z","finished_at":"2026-11-20T12:00:00.000Z","polls":0}}',
    );
  });

  it("shows the last answer that was seen, byte for byte", () => {
    const answer = '{"status":"processing","eta":1.0,"id":12345678901234567890,"output":[]}';
    const text = textOf({ outcome: "expired" }, answer, false);
    expect(text).toContain(`"provider":${answer},"error":null`);
    expect(JSON.parse(text).data.output).toBeNull();
  });
});
