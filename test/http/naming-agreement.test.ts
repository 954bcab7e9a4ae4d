import { describe, expect, it } from "vitest";
import { name, named, refusal } from "../support/naming.ts";

const CURRENT = "https://modelslab.com";
const LEGACY = "https://stablediffusionapi.com";

const url = (endpoint: string, id: string, origin = CURRENT) => `${origin}/api/${endpoint}/fetch/${id}`;
const answer = (fields: object) => ({ status: "processing", ...fields });

describe("everything that names the request", () => {
  it("may come at once when it agrees", () => {
    const fetchUrl = url("v6/video", "5");
    const response = answer({ id: 5, fetch_result: fetchUrl });
    expect(name({ endpoint: "v6/video", requestId: "5", fetchUrl, response })).toEqual(
      named({ endpoint: "v6/video", requestId: "5", origin: CURRENT }),
    );
  });

  it.each([
    ["fetch_url and response.id", { fetchUrl: url("v3", "1"), response: answer({ id: 2 }) }, "response.id"],
    [
      "fetch_url and fetch_result",
      { fetchUrl: url("v3", "1"), response: answer({ fetch_result: url("v3", "2") }) },
      "response.fetch_result",
    ],
    [
      "response.id and fetch_result",
      { response: answer({ id: 1, fetch_result: url("v3", "2") }) },
      "response.fetch_result",
    ],
    [
      "response.id and request_id",
      { endpoint: "v3", requestId: "2", response: answer({ id: 1 }) },
      "request_id",
    ],
    [
      "fetch_result and request_id",
      { requestId: "2", response: answer({ fetch_result: url("v3", "1") }) },
      "request_id",
    ],
    ["fetch_url and request_id", { fetchUrl: url("v3", "1"), requestId: "2" }, "request_id"],
    [
      "the last of four",
      { fetchUrl: url("v3", "1"), requestId: "2", response: answer({ id: 1, fetch_result: url("v3", "1") }) },
      "request_id",
    ],
  ])("is refused when it names two ids: %s", (_, given, field) => {
    const problem = name(given);
    expect(problem).toMatchObject(refusal(field));
    expect(problem).toMatchObject({ detail: expect.stringContaining("different ids") });
  });

  it("is refused when two numbers differ only in digits that a double loses", () => {
    const response = '{"status":"processing","id":9007199254740993}';
    expect(name({ endpoint: "v3", requestId: "9007199254740992", response })).toMatchObject(
      refusal("request_id"),
    );
    expect(name({ endpoint: "v3", requestId: "9007199254740993", response })).toMatchObject({
      requestId: "9007199254740993",
    });
  });

  it.each([
    ["fetch_url and endpoint", { fetchUrl: url("v3", "1"), endpoint: "v6/images" }, "endpoint"],
    [
      "fetch_url and fetch_result",
      { fetchUrl: url("v3", "1"), response: answer({ fetch_result: url("v6/images", "1") }) },
      "response.fetch_result",
    ],
    [
      "fetch_url and endpoint beside a response",
      { fetchUrl: url("v3", "1"), endpoint: "v6/images", response: answer({ id: 1 }) },
      "endpoint",
    ],
  ])("is refused when it names two endpoints: %s", (_, given, field) => {
    const problem = name(given);
    expect(problem).toMatchObject(refusal(field));
    expect(problem).toMatchObject({ detail: expect.stringContaining("different endpoints") });
  });

  it("may name another endpoint beside a fetch_result, which wins", () => {
    const response = answer({ id: 1, fetch_result: url("v6/images", "1", LEGACY) });
    expect(name({ endpoint: "v4/dreambooth", response })).toEqual(
      named({ endpoint: "v6/images", origin: LEGACY }),
    );
    expect(name({ endpoint: "v4/dreambooth", fetchUrl: url("v6/images", "1"), response })).toMatchObject({
      endpoint: "v6/images",
    });
  });

  it("is asked on the fetch_result's host when fetch_url has the provider's other one", () => {
    const response = answer({ id: 1, fetch_result: url("v3", "1", LEGACY) });
    expect(name({ fetchUrl: url("v3", "1", CURRENT), response })).toEqual(named({ origin: LEGACY }));
  });
});

describe("a fetch_result", () => {
  it.each([
    ["on another origin", "https://evil.example/api/v3/fetch/1"],
    ["over plain http", "http://modelslab.com/api/v3/fetch/1"],
    ["that is no URL", "soon"],
    ["with credentials", "https://u:p@modelslab.com/api/v3/fetch/1"],
    ["of another kind", "https://modelslab.com/api/v3/fine_tune_status/1"],
  ])("is refused %s, also beside a good endpoint", (_, fetch_result) => {
    const response = answer({ id: 1, fetch_result });
    expect(name({ endpoint: "v3", response })).toMatchObject(refusal("response.fetch_result"));
  });

  it("is read with doubled slashes, as legacy answers write them", () => {
    const response = answer({ fetch_result: `${LEGACY}//api//v3//fetch//1` });
    expect(name({ response })).toEqual(named({ origin: LEGACY }));
  });

  it("is read where its query echoes the key, which is dropped", () => {
    const response = answer({ fetch_result: `${url("v3", "1")}?key=sk-caller-4f9d2c71b8` });
    expect(name({ response })).toEqual(named({ origin: CURRENT }));
  });
});
