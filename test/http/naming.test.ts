import { describe, expect, it } from "vitest";
import { name, named, refusal } from "../support/naming.ts";
import { CAPTURED } from "../support/seed-pages.ts";

const CURRENT = "https://modelslab.com";
const LEGACY = "https://stablediffusionapi.com";

describe("a request named by endpoint and id", () => {
  it("is on the origin that is the default at the time", () => {
    expect(name({ endpoint: "v6/video", requestId: "9" })).toEqual(
      named({ endpoint: "v6/video", requestId: "9" }),
    );
  });

  it("is on the default endpoint when only the id is named", () => {
    expect(name({ requestId: "9" }, { defaultEndpoint: "v4/dreambooth" })).toEqual(
      named({ endpoint: "v4/dreambooth", requestId: "9" }),
    );
  });

  it("needs the id", () => {
    for (const given of [{}, { endpoint: "v3" }]) expect(name(given)).toMatchObject(refusal("request_id"));
  });
});

describe("a request named by fetch_url", () => {
  it("is on the URL's origin and endpoint, with the URL's id", () => {
    expect(name({ fetchUrl: `${LEGACY}/api/v3/dreambooth/fetch/77` })).toEqual(
      named({ endpoint: "v3/dreambooth", requestId: "77", origin: LEGACY }),
    );
  });

  it("takes request_id where the URL carries no id", () => {
    expect(name({ fetchUrl: `${LEGACY}/api/v4/dreambooth/fetch`, requestId: "77" })).toEqual(
      named({ endpoint: "v4/dreambooth", requestId: "77", origin: LEGACY }),
    );
  });

  it("needs request_id where the URL carries no id", () => {
    const problem = name({ fetchUrl: `${LEGACY}/api/v4/dreambooth/fetch` });
    expect(problem).toMatchObject(refusal("request_id"));
    expect(problem).toMatchObject({ detail: expect.stringContaining("fetch_url carries no id") });
  });

  it("may come with the endpoint and the id that it names anyway", () => {
    const given = { endpoint: "v6/video", requestId: "5", fetchUrl: `${CURRENT}/api/v6/video/fetch/5` };
    expect(name(given)).toEqual(named({ endpoint: "v6/video", requestId: "5", origin: CURRENT }));
  });

  it.each([
    ["another id", { requestId: "6" }, "request_id"],
    ["the same id with a zero in front", { requestId: "05" }, "request_id"],
    ["another endpoint", { endpoint: "v6/images" }, "endpoint"],
  ])("is refused beside %s", (_, given, field) => {
    const fetchUrl = `${CURRENT}/api/v6/video/fetch/5`;
    expect(name({ fetchUrl, ...given })).toMatchObject(refusal(field));
  });

  it.each([
    ["no URL", "modelslab.com/api/v3/fetch/1"],
    ["credentials", "https://u:p@modelslab.com/api/v3/fetch/1"],
    ["another origin", "https://evil.example/api/v3/fetch/1"],
    ["plain http", "http://modelslab.com/api/v3/fetch/1"],
    ["no fetch path", "https://modelslab.com/api/v6/images/text2img"],
    ["a template", "https://modelslab.com/api/v3/fetch/{id}"],
  ])("is refused with %s", (_, fetchUrl) => {
    expect(name({ fetchUrl, requestId: "1" })).toMatchObject(refusal("fetch_url"));
  });

  it("is not repeated in the refusal: it may hold a secret", () => {
    const problem = name({ fetchUrl: "https://u:hunter2@evil.example/api/v3/fetch/1?key=hunter2" });
    expect(JSON.stringify(problem)).not.toContain("hunter2");
  });
});

describe("a request named by the provider's response", () => {
  it.each([
    ["video", CURRENT, "v6/video", "65919758", 10],
    ["legacy", LEGACY, "v3", "65704373", 6],
    ["dreambooth", LEGACY, "v3/dreambooth", "29763508", 13.067986918399999],
    ["controlnet", LEGACY, "v3", "29763509", 146.5279869184],
  ] as const)("is the one in its fetch_result: %s", (capture, origin, endpoint, requestId, etaSeconds) => {
    expect(name({ response: CAPTURED[capture] })).toEqual(named({ endpoint, requestId, origin, etaSeconds }));
  });

  it("is where fetch_result says, also when the endpoint says otherwise", () => {
    const requestId = "29763508";
    expect(name({ endpoint: "v4/dreambooth", requestId, response: CAPTURED.dreambooth })).toMatchObject({
      endpoint: "v3/dreambooth",
      requestId,
      origin: LEGACY,
    });
  });

  it("needs an endpoint without a fetch_result", () => {
    for (const fetch_result of [undefined, "", null, 5]) {
      const response = { status: "processing", id: 1, fetch_result };
      expect(name({ response })).toMatchObject(refusal("endpoint"));
      expect(name({ response, endpoint: "v6/3d" })).toEqual(named({ endpoint: "v6/3d" }));
    }
  });

  it("takes the endpoint from a fetch_url too", () => {
    const response = { status: "processing", id: 5 };
    expect(name({ response, fetchUrl: `${LEGACY}/api/v6/video/fetch/5` })).toEqual(
      named({ endpoint: "v6/video", requestId: "5", origin: LEGACY }),
    );
  });

  it.each([
    ["from its id", { id: 7 }, {}],
    ["from its id as a string", { id: "7" }, {}],
    ["from its request_id when it has no id", { request_id: "7" }, {}],
    ["from its request_id when its id is empty", { id: "", request_id: 7 }, {}],
    ["from its fetch_result when it has neither", { fetch_result: `${CURRENT}/api/v3/fetch/7` }, {}],
    ["from request_id when it has none at all", {}, { requestId: "7" }],
    [
      "from request_id when fetch_result has none",
      { fetch_result: `${CURRENT}/api/v3/fetch` },
      { requestId: "7" },
    ],
  ])("has its id %s", (_, fields, given) => {
    const response = { status: "processing", ...fields };
    expect(name({ endpoint: "v3", response, ...given })).toMatchObject({ endpoint: "v3", requestId: "7" });
  });

  it("needs request_id when no id is to be found", () => {
    const problem = name({ endpoint: "v3", response: { status: "processing", id: "" } });
    expect(problem).toMatchObject(refusal("request_id"));
    expect(problem).toMatchObject({ detail: expect.stringContaining("response carries no id") });
  });

  it("keeps every digit of an id that no double holds", () => {
    for (const digits of ["9007199254740993", "12345678901234567890123", "9".repeat(128)]) {
      const response = `{"status":"processing","id": ${digits} }`;
      expect(name({ endpoint: "v3", response })).toMatchObject({ requestId: digits });
      const fetch_result = `https:\\/\\/modelslab.com\\/api\\/v3\\/fetch\\/${digits}`;
      const both = `{"fetch_result":"${fetch_result}","id":${digits},"status":"processing"}`;
      expect(name({ response: both })).toMatchObject({ requestId: digits });
    }
  });

  it.each([
    ["of 129 digits", `${"9".repeat(129)}`],
    ["with a slash", '"1/2"'],
    ["with a space", '"1 2"'],
    ["with a dot", '"1.5"'],
  ])("is refused with an id %s", (_, id) => {
    expect(name({ endpoint: "v3", response: `{"status":"processing","id":${id}}` })).toMatchObject(
      refusal("response.id"),
    );
  });

  it.each([
    [20.9379869184, 20.9379869184],
    ["20", 20],
    [0, 0],
    ["0", 0],
    [-3, null],
    ["soon", null],
    ["", null],
    [null, null],
    [1e308, 1e308],
  ])("has the eta %j as %j", (eta, etaSeconds) => {
    const response = { status: "processing", id: 1, eta };
    expect(name({ endpoint: "v3", response })).toEqual(named({ etaSeconds }));
  });

  it.each(["queued", "init", "Processing", "ready"])("may say that it is %s", (status) => {
    expect(name({ endpoint: "v3", response: { status, id: 1 } })).toEqual(named({}));
  });
});
