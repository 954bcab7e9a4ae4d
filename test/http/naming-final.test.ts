import { describe, expect, it } from "vitest";
import { name, named, refusal } from "../support/naming.ts";
import { CAPTURED, REFUSALS, SEED_PAGES } from "../support/seed-pages.ts";

const textOf = (bytes: Uint8Array | null | undefined): string => new TextDecoder().decode(bytes ?? undefined);

/** The final answer's text; "" when there is none. */
const finalText = (...given: Parameters<typeof name>): string => {
  const result = name(...given);
  return "kind" in result ? JSON.stringify(result) : textOf(result.finalAnswer);
};

describe("a response that is a success already", () => {
  it.each(SEED_PAGES)("is the final answer, to the byte: $title", ({ endpoint, requestId, response }) => {
    expect(name({ endpoint, response })).toMatchObject({ endpoint, requestId, etaSeconds: null });
    expect(finalText({ endpoint, response })).toBe(response);
  });

  it("is the same where there is no key to hide", () => {
    const given = { endpoint: "v6/deepfake", response: CAPTURED.deepfakeSuccess };
    expect(finalText(given, { key: null })).toBe(CAPTURED.deepfakeSuccess);
  });

  it("loses an echo of the key", () => {
    const response = '{"status":"success","id":1,"output":["x"],"meta":{"key":"sk-caller-4f9d2c71b8"}}';
    expect(finalText({ endpoint: "v3", response })).toBe(
      '{"status":"success","id":1,"output":["x"],"meta":{"key":"[redacted]"}}',
    );
  });

  it("keeps numbers as they were written", () => {
    const response = '{"status":"success","id":12345678901234567890123,"generationTime":1.50,"output":["x"]}';
    expect(name({ endpoint: "v3", response })).toMatchObject({ requestId: "12345678901234567890123" });
    expect(finalText({ endpoint: "v3", response })).toBe(response);
  });

  it.each([
    ["[]", []],
    ['""', ""],
    ["{}", {}],
    ["null", null],
  ])("is polled all the same when its output is %s", (_, output) => {
    const response = { status: "success", id: 1, output, future_links: ["https://x/1.png"] };
    expect(name({ endpoint: "v3", response })).toEqual(named({}));
  });

  it("still needs an endpoint and an id, which name the job", () => {
    expect(name({ response: { status: "success", output: ["x"], id: 1 } })).toMatchObject(
      refusal("endpoint"),
    );
    const response = { status: "success", output: ["x"] };
    expect(name({ endpoint: "v3", response })).toMatchObject(refusal("request_id"));
  });
});

describe("a response that is a refusal", () => {
  it.each(Object.entries(REFUSALS))("is refused, for nothing will come of it: %s", (_, response) => {
    expect(name({ endpoint: "v3", requestId: "1", response })).toMatchObject(
      refusal("response", "generation_failed"),
    );
  });

  it.each(["error", "failed", "Error", " FAILED "])("is refused with the bare word %j", (status) => {
    expect(name({ endpoint: "v3", response: { status, id: 1 } })).toMatchObject(
      refusal("response", "generation_failed"),
    );
  });

  it("is not repeated in the refusal", () => {
    const response = { status: "error", message: "secret-of-the-provider" };
    expect(JSON.stringify(name({ endpoint: "v3", response }))).not.toContain("secret-of-the-provider");
  });
});

describe("a response that is no generation answer", () => {
  it.each([{}, { id: 1 }, { status: null, id: 1 }, { status: 200, id: 1 }])(
    "is refused for want of a status: %j",
    (response) => {
      expect(name({ endpoint: "v3", response })).toMatchObject(refusal("response.status"));
    },
  );

  it.each(["[]", "1", "null", '"x"'])("is refused when it is %s", (response) => {
    expect(name({ endpoint: "v3", requestId: "1", response })).toMatchObject(refusal("response"));
  });
});
