import { describe, expect, it } from "vitest";
import { CAPTURED, REFUSALS, SEED_PAGES } from "../support/seed-pages.ts";
import { meaning, pending, transient, verdictOf } from "../support/verdicts.ts";

describe("HTTP codes that say nothing about the request", () => {
  it.each([300, 301, 302, 303, 304, 307, 308, 399])(
    "takes %i for a redirect that is not followed",
    (status) => {
      expect(verdictOf({ status, body: { status: "success", output: ["x"] } })).toEqual(
        transient("redirect"),
      );
    },
  );

  it.each([408, 425, 500, 502, 503, 504, 520, 599])(
    "tries again after %i, whatever the body says",
    (status) => {
      expect(verdictOf({ status, body: { status: "success", output: ["x"] } })).toEqual(
        transient("http_error"),
      );
    },
  );

  it.each([
    ["internal", 500],
    ["unavailable", 503],
  ] as const)("tries again after the documented %s error, %i", (name, status) => {
    expect(verdictOf({ status, body: REFUSALS[name] })).toEqual(transient("http_error"));
  });
});

describe("bodies that are no answer", () => {
  it.each(["timeout", "network"] as const)("tries again when the body ended in %s", (end) => {
    expect(verdictOf({ end })).toEqual(transient(end));
  });

  it("fails when the body is too large", () => {
    expect(verdictOf({ end: "too_large" })).toMatchObject({ kind: "failed", reason: "output_too_large" });
  });

  it.each([
    ["HTML", undefined],
    ["null", null],
    ["an array", [{ status: "success", output: ["x"] }]],
    ["a number", 1],
    ["true", true],
    ["a JSON string", '"success"'],
  ])("tries again when the body is %s", (_, body) => {
    expect(meaning(body)).toEqual(transient("not_json"));
  });

  it.each([{}, { status: null }, { status: 1 }, { status: true }, { status: ["success"], output: ["x"] }])(
    "tries again when the object has no status word: %j",
    (body) => {
      expect(meaning(body)).toEqual(transient("not_json"));
    },
  );
});

describe("refusals of the key", () => {
  it.each([401, 403])("takes %i for a refused key", (status) => {
    expect(verdictOf({ status, body: { status: "processing" } })).toEqual({
      kind: "failed",
      reason: "unauthorized",
      message: "The provider refused the key.",
    });
  });

  it.each([
    ["invalidApiKey", "Invalid Api Key"],
    ["invalidKey", "Invalid API key"],
  ] as const)("takes the body %s for a refused key, also under 200", (name, message) => {
    expect(meaning(REFUSALS[name])).toEqual({ kind: "failed", reason: "unauthorized", message });
  });

  it("does not take another invalid thing for the key", () => {
    const message = "Invalid API Request";
    expect(meaning(REFUSALS.invalidRequest)).toEqual({ kind: "failed", reason: "provider_error", message });
  });
});

describe("refusals for want of payment", () => {
  it("takes 402 for it", () => {
    const verdict = verdictOf({ status: 402, body: { status: "whatever" } });
    expect(verdict).toMatchObject({ kind: "failed", reason: "payment_required" });
  });

  it.each(["monthlyLimit", "noCredits"] as const)("takes the body %s for it, also under 200", (name) => {
    const { message } = JSON.parse(REFUSALS[name]);
    expect(meaning(REFUSALS[name])).toEqual({ kind: "failed", reason: "payment_required", message });
  });

  it("does not take a word that only contains credit for it", () => {
    const body = { status: "error", message: "accreditation of discredited editors" };
    expect(meaning(body)).toMatchObject({ kind: "failed", reason: "provider_error" });
  });
});

describe("success", () => {
  it.each(SEED_PAGES)("is the example of the page «$title»", ({ response }) => {
    expect(meaning(response)).toEqual({ kind: "succeeded" });
  });

  it.each([
    ["an array of URLs", ["https://x/1.png"]],
    ["a URL", "https://x/1.png"],
    ["base64 text", ["iVBORw0KGgo="]],
    ["a data URI", "data:image/png;base64,iVBORw0KGgo="],
    ["an object", { 0: "https://x/1.png" }],
    ["an array of an empty string", [""]],
    ["an array of null", [null]],
    ["white space", " "],
  ])("is what has output: %s", (_, output) => {
    expect(meaning({ status: "success", output })).toEqual({ kind: "succeeded" });
  });

  it.each([
    ["[]", []],
    ['""', ""],
    ["{}", {}],
    ["null", null],
    ["nothing at all", undefined],
  ])("is doubted when its output is %s", (_, output) => {
    const future_links = ["https://x/not-there-yet.png"];
    expect(meaning({ status: "success", output, future_links, links: ["x"] })).toEqual({ kind: "empty" });
  });

  it.each(["Success", "SUCCESS", " success\n", "\tsuccess "])("is recognised as %j", (status) => {
    expect(meaning({ status, output: ["x"] })).toEqual({ kind: "succeeded" });
  });

  it.each([200, 201, 202, 400, 404, 409, 422])("is the body's word also under %i", (status) => {
    expect(verdictOf({ status, body: { status: "success", output: ["x"] } })).toEqual({ kind: "succeeded" });
  });

  it.each(["Rate limit exceeded", "Invalid Api Key", "credits", "Request not found"])(
    "is not spoiled by a message that only mentions «%s»",
    (message) => {
      expect(meaning({ status: "success", output: ["x"], message })).toEqual({ kind: "succeeded" });
    },
  );
});

describe("request not found", () => {
  it.each([200, 404])("is doubted under %i", (status) => {
    const verdict = verdictOf({ status, body: REFUSALS.notFound });
    expect(verdict).toEqual({ kind: "not_found", message: "Request not found" });
  });

  it("is doubted as error and in messege too", () => {
    const body = { status: "Error", messege: "request NOT found." };
    expect(meaning(body)).toEqual({ kind: "not_found", message: "request NOT found." });
  });

  it("is not the same as another thing not found", () => {
    expect(meaning(REFUSALS.modelUnknown)).toMatchObject({ kind: "failed", reason: "provider_error" });
  });
});

describe("any other error or failed", () => {
  it.each([
    ["tryAgain", "Failed, Try Again"],
    ["promptRequired", '{"prompt":["The prompt field is required."]}'],
    ["modelUnknown", "Model id not found"],
    ["invalidRequest", "Invalid API Request"],
    ["keyRequired", "API key required"],
  ] as const)("ends the request with the provider's words: %s", (name, message) => {
    for (const status of [200, 400, 404, 422]) {
      const verdict = verdictOf({ status, body: REFUSALS[name] });
      expect(verdict).toEqual({ kind: "failed", reason: "provider_error", message });
    }
  });

  it.each(["error", "failed", "FAILED", " Error "])(
    "ends the request as %j without any message",
    (status) => {
      expect(meaning({ status })).toEqual({
        kind: "failed",
        reason: "provider_error",
        message: "The provider gave no reason.",
      });
    },
  );
});

describe("still at work", () => {
  it.each([
    ["video", 10],
    ["legacy", 6],
    ["dreambooth", 13.067986918399999],
    ["controlnet", 146.5279869184],
    ["stillProcessing", null],
  ] as const)("is what the capture %s says", (name, eta) => {
    expect(meaning(CAPTURED[name])).toEqual(pending(eta));
  });

  it.each([
    "queued",
    "pending",
    "in progress",
    "ready",
    "init",
    "",
    "ok",
    "Processing",
    "succeeded",
    "failure",
  ])("is the status word %j", (status) => {
    expect(meaning({ status, output: ["x"], message: "Rate limit" })).toEqual(pending());
  });

  it.each([
    [20.9379869184, 20.9379869184],
    [416.94, 416.94],
    ["10", 10],
    ["10.5", 10.5],
    [" 7 ", 7],
    [1e308, 1e308],
    [0.001, 0.001],
    [0, null],
    ["0", null],
    [-5, null],
    ["-5", null],
    ["", null],
    ["soon", null],
    ["1e3", null],
    ["9".repeat(400), null],
    [null, null],
    [true, null],
    [[10], null],
    [{ seconds: 10 }, null],
  ])("reads the eta %j as %j", (eta, seconds) => {
    expect(meaning({ status: "processing", eta })).toEqual(pending(seconds));
  });

  it("has no eta where a number is too large for JSON's reader", () => {
    expect(meaning('{"status":"processing","eta":1e999}')).toEqual(pending());
  });
});
