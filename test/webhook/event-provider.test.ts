import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { joinParts } from "../../src/json.ts";
import { buildEvent, type EventAnswer, type EventFacts } from "../../src/webhook/event.ts";

const FACTS: EventFacts = {
  jobId: "job_abc",
  endpoint: "v3",
  requestId: "13443927",
  outcome: "succeeded",
  error: null,
  metadata: "{}",
  registeredAt: Date.UTC(2026, 10, 20, 11),
  finishedAt: Date.UTC(2026, 10, 20, 12),
  polls: 2,
};

function textOf(
  overrides: Partial<EventFacts>,
  answer: string | null,
  { final = true, format = "provider" as "provider" | "standard" } = {},
): string {
  const bytes = answer === null ? null : new TextEncoder().encode(answer);
  const seen: EventAnswer | null = bytes && (final ? { final, bytes } : { final, size: bytes.length });
  const parts = buildEvent(format, { ...FACTS, ...overrides }, seen);
  return new TextDecoder().decode(joinParts(parts, bytes).bytes);
}

const ANSWER = '{"status":"success","id":13443927,"output":["https:\\/\\/x\\/1.png"]}';

describe("the provider's format, where the provider had the last word", () => {
  it.each([
    ["a success", ANSWER],
    ["an error", '{"status":"error","messege":"nope"}'],
    [
      "big integers, order and escapes",
      '{"z":12345678901234567890,"1":1.0,"status":"success","output":["\\/\\u00fc"]}',
    ],
    ["white space inside", '{ "status" : "success" ,\n"output":[ 1 ] }'],
  ])("is the provider's text unchanged: %s", (_, answer) => {
    expect(textOf({}, answer)).toBe(answer);
    expect(textOf({ metadata: '{"user":7,"nested":{"track_id":1}}' }, answer)).toBe(answer);
  });

  it.each([
    ["a string", '"t-1"'],
    ["a number", "42"],
    ["a number too big for a double", "12345678901234567890"],
    ["an escaped string", '"a\\/\\u00fc\\"b"'],
    ["null", "null"],
    ["an object", '{"a":[1, 2]}'],
  ])("adds track_id from the metadata as it was written: %s", (_, trackId) => {
    const text = textOf({ metadata: `{"user":7, "track_id" : ${trackId} ,"z":1}` }, ANSWER);
    expect(text).toBe(`${ANSWER.slice(0, -1)},"track_id":${trackId}}`);
    expect(JSON.parse(text)).toEqual({ ...JSON.parse(ANSWER), track_id: JSON.parse(trackId) });
  });

  it.each([
    ["first", '{"track_id":null,"status":"success"}', '{"track_id":"t-1","status":"success"}'],
    ["last", '{"status":"success","track_id":0}', '{"status":"success","track_id":"t-1"}'],
    ["with space around it", '{"track_id" : "old" , "id":1}', '{"track_id" : "t-1" , "id":1}'],
    ["as an object", '{"id":1,"track_id":{"a":"}"},"b":2}', '{"id":1,"track_id":"t-1","b":2}'],
    ["with its name escaped", '{"tr\\u0061ck_id":1}', '{"tr\\u0061ck_id":"t-1"}'],
  ])("replaces the answer's own track_id in its place: %s", (_, answer, expected) => {
    expect(textOf({ metadata: '{"track_id":"t-1"}' }, answer)).toBe(expected);
  });

  it("wins over every repetition of the answer's own track_id", () => {
    const text = textOf({ metadata: '{"track_id":"t-1"}' }, '{"track_id":1,"a":2,"track_id":3}');
    expect(JSON.parse(text)).toEqual({ track_id: "t-1", a: 2 });
  });

  it("keeps a track_id of the answer when the metadata has none", () => {
    const answer = '{"status":"success","track_id":"theirs"}';
    expect(textOf({ metadata: '{"Track_id":1}' }, answer)).toBe(answer);
  });

  it.each(["{}", "{ }", "{\n\t}"])("puts it into the empty object %j without a comma", (answer) => {
    const text = textOf({ metadata: '{"track_id":7}' }, answer);
    expect(JSON.parse(text)).toEqual({ track_id: 7 });
  });
});

describe("the provider's format, where nothing final was said", () => {
  const failure = (message: string, id: unknown = 13443927) => ({
    status: "failed",
    id,
    message,
    output: [],
  });

  it.each(["output_too_large", "empty_output", "internal_error", "key_unreadable"])(
    "is a failure in the provider's shape for %s, with or without an answer seen",
    (reason) => {
      const facts = { outcome: "failed", error: { reason, message: 'It "broke".' } } as const;
      const seen = '{"status":"success","output":[]}';
      for (const answer of [null, seen])
        expect(JSON.parse(textOf(facts, answer, { final: false }))).toEqual(failure('It "broke".'));
    },
  );

  it("is exactly this text for an expiry", () => {
    expect(
      textOf({ outcome: "expired" }, '{"status":"processing","output":["half"]}', { final: false }),
    ).toBe(
      '{"status":"failed","id":13443927,"message":"The provider did not finish this request before its deadline.","output":[]}',
    );
  });

  it.each([
    ["0", 0],
    ["7", 7],
    ["999999999999999", 999_999_999_999_999],
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
    ["9007199254740992", "9007199254740992"],
    ["12345678901234567890", "12345678901234567890"],
    ["007", "007"],
    ["1e5", "1e5"],
    ["0x10", "0x10"],
    ["1_000", "1_000"],
    ["-0", "-0"],
    ["-5", "-5"],
    ["Infinity", "Infinity"],
    ["a1b2-c3d4", "a1b2-c3d4"],
  ])("writes the request id %s as a number only if that is the same id", (requestId, id) => {
    expect(JSON.parse(textOf({ outcome: "expired", requestId }, null)).id).toBe(id);
  });

  it.each(['"t-1"', "42", "12345678901234567890", "null"])("adds the track_id %s", (trackId) => {
    const text = textOf({ outcome: "expired", metadata: `{"a":1,"track_id":${trackId}}` }, null);
    expect(text.endsWith(`,"output":[],"track_id":${trackId}}`)).toBe(true);
    expect(JSON.parse(text)).toMatchObject({ status: "failed", track_id: JSON.parse(trackId) });
  });
});

describe("any event", () => {
  const members = fc.dictionary(
    fc.oneof(fc.constantFrom("track_id", "output", "proxy_links", "status", "__proto__", ""), fc.string()),
    fc.jsonValue(),
    { noNullPrototype: true },
  );
  const spaced = fc.tuple(members, fc.constantFrom(undefined, 1, "\t")).map(([value, space]) => ({
    value,
    text: JSON.stringify(value, null, space),
  }));
  // JSON has one value for what JavaScript tells apart: -0 parses back as -0, but compares as 0 here.
  const same = (a: unknown, b: unknown): void => expect(JSON.stringify(a)).toBe(JSON.stringify(b));

  it("is JSON that carries the answer and the metadata", () => {
    fc.assert(
      fc.property(
        fc.option(spaced),
        spaced,
        fc.boolean(),
        fc.constantFrom("succeeded" as const, "failed" as const, "expired" as const),
        fc.string({ unit: "binary" }),
        (answer, metadata, final, outcome, message) => {
          const error = outcome === "failed" ? { reason: "provider_error", message } : null;
          const facts = { outcome, error, metadata: metadata.text };
          const standard = JSON.parse(textOf(facts, answer?.text ?? null, { final, format: "standard" }));
          same(standard.data.provider, answer ? JSON.parse(answer.text) : null);
          same(standard.data.metadata, JSON.parse(metadata.text));

          const provider = JSON.parse(textOf(facts, answer?.text ?? null, { final }));
          const trackId = JSON.parse(metadata.text).track_id;
          const said = answer && final ? JSON.parse(answer.text) : null;
          same(provider.track_id, trackId !== undefined ? trackId : said?.track_id);
          if (said)
            expect(Object.keys({ ...provider, track_id: 0 }).sort()).toEqual(
              Object.keys({ ...said, track_id: 0 }).sort(),
            );
          else expect(provider).toMatchObject({ status: "failed", id: 13443927, output: [] });
        },
      ),
      { numRuns: 100 },
    );
  });
});
