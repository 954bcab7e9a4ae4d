import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CATALOGUE, fetchCall, parseFetchUrl } from "../../src/provider/endpoints.ts";
import { SEED_PAGES } from "../support/seed-pages.ts";

const ORIGINS = ["https://modelslab.com", "https://stablediffusionapi.com"];

const read = (text: string) => parseFetchUrl(text, ORIGINS);

describe("a fetch URL", () => {
  it.each(SEED_PAGES)(
    "of the page «$title» is taken apart: $path",
    ({ origin, path, endpoint, requestId }) => {
      const idInPath = path.endsWith(requestId);
      expect(read(origin + path)).toEqual({ origin, endpoint, requestId: idInPath ? requestId : null });
    },
  );

  it("is the inverse of the call, for every endpoint of the catalogue", () => {
    for (const [endpoint, place] of Object.entries(CATALOGUE)) {
      const { url } = fetchCall("https://modelslab.com", endpoint, "77", "k");
      const requestId = place === "path" ? "77" : null;
      expect(read(url)).toEqual({ origin: "https://modelslab.com", endpoint, requestId });
    }
  });

  it.each([
    ["with a trailing slash", "https://modelslab.com/api/v3/fetch/1/"],
    ["with doubled slashes", "https://modelslab.com//api///v3//fetch//1"],
    ["with a query, which is dropped", "https://modelslab.com/api/v3/fetch/1?key=secret"],
    ["with a fragment, which is dropped", "https://modelslab.com/api/v3/fetch/1#x"],
    ["with its default port", "https://modelslab.com:443/api/v3/fetch/1"],
    ["with a host in capitals", "HTTPS://ModelsLab.COM/api/v3/fetch/1"],
    ["with white space around it", " https://modelslab.com/api/v3/fetch/1\n"],
  ])("is read %s", (_, url) => {
    expect(read(url)).toEqual({ origin: "https://modelslab.com", endpoint: "v3", requestId: "1" });
  });

  it("may carry the id in the path where the catalogue has it in the body", () => {
    const expected = { origin: "https://modelslab.com", endpoint: "v4/dreambooth", requestId: "5" };
    expect(read("https://modelslab.com/api/v4/dreambooth/fetch/5")).toEqual(expected);
  });

  it.each([
    ["nothing", ""],
    ["a path alone", "/api/v3/fetch/1"],
    ["no scheme", "modelslab.com/api/v3/fetch/1"],
    ["another scheme", "ftp://modelslab.com/api/v3/fetch/1"],
    ["data", "data:,x"],
  ])("is no URL when it is %s", (_, url) => {
    expect(read(url)).toBe("not_a_url");
  });

  it.each(["https://u@modelslab.com/api/v3/fetch/1", "https://:p@modelslab.com/api/v3/fetch/1"])(
    "is refused with credentials: %s",
    (url) => {
      expect(read(url)).toBe("credentials");
    },
  );

  it.each([
    "http://modelslab.com/api/v3/fetch/1",
    "https://modelslab.com:8443/api/v3/fetch/1",
    "https://modelslab.com./api/v3/fetch/1",
    "https://modelslab.com.evil.example/api/v3/fetch/1",
    "https://evilmodelslab.com/api/v3/fetch/1",
    "https://api.modelslab.com/api/v3/fetch/1",
    "https://evil.example/https://modelslab.com/api/v3/fetch/1",
    "https://evil.example\\@modelslab.com/api/v3/fetch/1",
    "https://mode1slab.com/api/v3/fetch/1",
    "https://modelslаb.com/api/v3/fetch/1",
  ])("is refused on an origin that is not listed: %s", (url) => {
    expect(read(url)).toBe("origin_not_listed");
  });

  it.each([
    "https://modelslab.com/",
    "https://modelslab.com/api/v3",
    "https://modelslab.com/api/fetch/1",
    "https://modelslab.com/v3/fetch/1",
    "https://modelslab.com/api/v3/fetch/1/2",
    "https://modelslab.com/api/v3/fetch/fetch/1",
    "https://modelslab.com/api/v3/prefetch/1",
    "https://modelslab.com/api/v3/fetch/%31",
    "https://modelslab.com/api/v3/fetch/{id}",
    "https://modelslab.com/api/v3/../../v4/fetch/1",
    "https://modelslab.com/api/images/fetch/1",
    "https://modelslab.com/api/v1/a/b/c/d/fetch/1",
    "https://modelslab.com\\@evil.example/api/v3/fetch/1",
    `https://modelslab.com/api/v3/fetch/${"9".repeat(129)}`,
  ])("is refused when its path names no request: %s", (url) => {
    expect(read(url)).toBe("not_a_fetch_url");
  });

  it("never names an origin beside the listed ones, whatever is written", () => {
    const piece = fc.constantFrom(
      "https:",
      "//",
      "/",
      "\\",
      "@",
      "modelslab.com",
      "evil.example",
      "api/v3/fetch/1",
      ":",
      "%40",
      "#",
      "?",
      ".",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const parsed = read(pieces.join(""));
        return typeof parsed === "string" || ORIGINS.includes(parsed.origin);
      }),
      { numRuns: 300 },
    );
  });
});
