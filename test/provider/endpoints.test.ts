import { describe, expect, it } from "vitest";
import { CATALOGUE, fetchCall, isEndpoint, isRequestId } from "../../src/provider/endpoints.ts";
import { SEED_PAGES } from "../support/seed-pages.ts";

const ORIGIN = "https://modelslab.com";
const KEY = "sk-0123456789";

/** Every endpoint that the provider's pages, OpenAPI files or own clients name with the id in the path. */
const ID_IN_PATH = `
  v3 v3/dreambooth
  v5/images
  v6/images v6/realtime v6/image_editing v6/video v6/voice v6/3d v6/interior v6/faceswap v6/deepfake v6/fashion
  v7/images v7/video-fusion v7/voice
  v1/enterprise/interior v1/enterprise/flux v1/enterprise/flux_klein v1/enterprise/flux_kontext_dev
  v1/enterprise/flux_headshot v1/enterprise/face_gen v1/enterprise/qwen v1/enterprise/realtime
  v1/enterprise/image_editing v1/enterprise/images v1/enterprise/3d v1/enterprise/video
  v1/enterprise/image_to_video_ultra v1/enterprise/text-to-video-ultra v1/enterprise/super-resolution
  v1/enterprise/speech_to_text v1/enterprise/text_to_speech v1/enterprise/voice v1/enterprise/voice-cloning
  v1/enterprise/deepfake v1/enterprise/uncensored-chat v1/enterprise/nano_banana`
  .trim()
  .split(/\s+/);

/** Those with the id in the body, under this name. */
const ID_IN_BODY: readonly (readonly [string, string])[] = [
  ["v1/enterprise", "request_id"],
  ["v4/dreambooth", "request_id"],
  ["v1/enterprise/faceswap", "id"],
];

describe("the catalogue", () => {
  it("has every documented endpoint and no other", () => {
    const all = [...ID_IN_PATH, ...ID_IN_BODY.map(([endpoint]) => endpoint)];
    expect(Object.keys(CATALOGUE).sort()).toEqual(all.sort());
  });

  it("has only endpoints that a registration may name", () => {
    expect(Object.keys(CATALOGUE).filter((endpoint) => !isEndpoint(endpoint))).toEqual([]);
  });
});

describe("the one call that asks for a request", () => {
  it.each(SEED_PAGES)("is what the page «$title» says for $endpoint", (page) => {
    expect(fetchCall(page.origin, page.endpoint, page.requestId, KEY)).toEqual({
      url: `${page.origin}${page.path}`,
      body: page.body(KEY),
    });
  });

  it.each(ID_IN_PATH)("has the id in the path and only the key in the body for %s", (endpoint) => {
    expect(fetchCall(ORIGIN, endpoint, "65919758", KEY)).toEqual({
      url: `https://modelslab.com/api/${endpoint}/fetch/65919758`,
      body: '{"key":"sk-0123456789"}',
    });
  });

  it.each(ID_IN_BODY)("has the id as a string in the body for %s, named %s", (endpoint, name) => {
    expect(fetchCall(ORIGIN, endpoint, "65919758", KEY)).toEqual({
      url: `https://modelslab.com/api/${endpoint}/fetch`,
      body: `{"key":"sk-0123456789","${name}":"65919758"}`,
    });
  });

  it("has the id in the path for an endpoint that is not in the catalogue", () => {
    expect(fetchCall(ORIGIN, "v8/music/long-form", "a_b-C", KEY)).toEqual({
      url: "https://modelslab.com/api/v8/music/long-form/fetch/a_b-C",
      body: '{"key":"sk-0123456789"}',
    });
  });

  it.each(["constructor", "__proto__", "toString"])("takes «%s» for no endpoint of the catalogue", (name) => {
    expect(fetchCall(ORIGIN, name, "1", KEY).url).toBe(`https://modelslab.com/api/${name}/fetch/1`);
  });

  it("escapes what JSON must escape in a key", () => {
    expect(JSON.parse(fetchCall(ORIGIN, "v3", "1", 'a"b\\c/d').body)).toEqual({ key: 'a"b\\c/d' });
  });
});

describe("an endpoint", () => {
  it.each([
    ["v3"],
    ["v999"],
    ["v1/enterprise/text-to-video-ultra"],
    ["v1/a/b/c"],
    [`v1/${"a".repeat(64)}`],
    ["v1/fetcher"],
    ["v1/prefetch"],
  ])("may be %s", (endpoint) => {
    expect(isEndpoint(endpoint)).toBe(true);
  });

  it.each([
    ["empty", ""],
    ["no version", "enterprise"],
    ["a bare v", "v"],
    ["a capital V", "V3"],
    ["a version of four digits", "v1000"],
    ["four segments behind the version", "v1/a/b/c/d"],
    ["a segment of 65 characters", `v1/${"a".repeat(65)}`],
    ["a leading slash", "/v3"],
    ["a trailing slash", "v3/"],
    ["an empty segment", "v1//flux"],
    ["dots", "v1/../v3"],
    ["an escape", "v1/%2e%2e"],
    ["a query", "v3?x=1"],
    ["white space", "v3 "],
    ["a line end", "v3\n"],
    ["the word fetch at its end", "v3/fetch"],
    ["the word fetch inside", "v3/fetch/dreambooth"],
    ["letters of another script", "v3/évidéo"],
  ])("may not have %s", (_, endpoint) => {
    expect(isEndpoint(endpoint)).toBe(false);
  });
});

describe("a request id", () => {
  it.each(["0", "454", "abc123-def456", "A_b-9", "9".repeat(128)])("may be %s", (id) => {
    expect(isRequestId(id)).toBe(true);
  });

  it.each(["", "9".repeat(129), "1.5", "a/b", "../x", "a b", "1\n", "ä", "%31", "a.b", "1?x"])(
    "may not be %j",
    (id) => {
      expect(isRequestId(id)).toBe(false);
    },
  );
});
