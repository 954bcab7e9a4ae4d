import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { call, register, registration, uniqueId } from "../support/api.ts";
import { EMPTY, expectProblem, forget, idOf, objectCount, storageOf } from "../support/http.ts";
import { ScriptedFetch } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
let objects: number;
beforeEach(async () => {
  fetched = new ScriptedFetch();
  objects = await objectCount();
});
afterEach(() => {
  fetched.restore();
});

/** Registers a raw JSON text, or values over an acceptable registration, and proves that nothing came of it. */
async function expectRefused(
  body: string | Record<string, unknown>,
  field: string,
  code = "invalid_value",
): Promise<string> {
  const answer = await call("POST", "/v1/jobs", {
    body: typeof body === "string" ? body : registration(body),
  });
  expectProblem(answer, { status: 422, code, field });
  expect(await objectCount()).toBe(objects);
  expect(fetched.sent).toEqual([]);
  return answer.body.detail;
}

/** A registration's JSON text with one more member, spelled as given. */
const withRaw = (member: string): string => JSON.stringify(registration()).replace(/\}$/, `,${member}}`);

describe("a field of the wrong type", () => {
  const samples = { number: 5, text: "text", boolean: true, array: ["v3"], object: { a: 1 } };
  const takes: Record<string, readonly (keyof typeof samples)[]> = {
    endpoint: ["text"],
    request_id: ["number", "text"],
    fetch_url: ["text"],
    response: ["object"],
    callback_url: ["text"],
    eta: ["number"],
    key: ["text"],
    deadline_seconds: ["number"],
    format: ["text"],
    metadata: ["object"],
  };
  const wrong = Object.entries(takes).flatMap(([field, taken]) =>
    Object.entries(samples)
      .filter(([type]) => !taken.some((other) => other === type))
      .map(([type, value]) => ({ field, type, value })),
  );
  it.each(wrong)("is refused: $field with $type", async ({ field, value }) => {
    await expectRefused({ [field]: value }, field);
  });
});

it("is told of one name of a list what that name must be", async () => {
  const metadata = { a: 1 };
  expect(await expectRefused({ metadata, index: ["a", ""] }, "index.1")).toBe(
    "index.1 must be a name of metadata, of 1 to 64 characters.",
  );
  expect(await expectRefused({ metadata, index: "a" }, "index")).toMatch(/^index must be a list of up to 3/);
});

describe("a value out of bounds", () => {
  it.each([-0.001, -1, 86_400.5, 86_401, 1e308])("is refused: eta %d", async (eta) => {
    await expectRefused({ eta }, "eta");
  });

  it.each(['"eta":1e400', '"eta":-1e400', '"eta":"NaN"', '"eta":"20"', '"eta":""'])(
    "is refused: %s",
    async (member) => {
      await expectRefused(withRaw(member), "eta");
    },
  );

  it.each([0, 0.5, 86_400])("is accepted: eta %d", async (eta) => {
    const { status, body } = await register({ eta });
    await forget(body.id);
    expect([status, body.eta]).toEqual([202, eta]);
  });

  it.each([29, 30.5, 86_401, 0, -60, 1e308, "60"])(
    "is refused: deadline_seconds %j",
    async (deadline_seconds) => {
      await expectRefused({ deadline_seconds }, "deadline_seconds");
    },
  );

  it.each([30, 86_400])("is accepted: deadline_seconds %d", async (deadline_seconds) => {
    const { status, body } = await register({ deadline_seconds });
    expect(status).toBe(202);
    expect(Date.parse(body.deadline_at) - Date.parse(body.registered_at)).toBe(deadline_seconds * 1000);
  });

  it.each([
    ["empty", ""],
    ["a space in it", "sk 1"],
    ["a line break", "sk-1\n"],
    ["a character beyond ASCII", "sk-é"],
    ["257 characters", "k".repeat(257)],
  ])("is refused: a key with %s", async (_, key) => {
    const detail = await expectRefused({ key }, "key");
    expect(detail).not.toContain("sk");
  });

  it("is accepted: a key of 256 characters", async () => {
    expect((await register({ key: "~".repeat(256) })).status).toBe(202);
  });

  it.each(["", "Standard", "json", "provider "])("is refused: format %j", async (format) => {
    await expectRefused({ format }, "format");
  });

  it.each(["", "/v3", "api/v3", "v3/fetch", "v3/../v4", "v3/a/b/c/d", "V3", "v3/", "x", "v3?a", "v1234"])(
    "is refused: endpoint %j",
    async (endpoint) => {
      await expectRefused({ endpoint }, "endpoint");
    },
  );
});

describe("a request id", () => {
  it.each(["", "a".repeat(129), "a/b", "..", "1.5", "a b", " 1", "1\n", "é", "１２", "%31", "\u0000"])(
    "is refused: %j",
    async (request_id) => {
      await expectRefused({ request_id }, "request_id");
    },
  );

  it.each(["-1", "1.5", "1e-3", "1e400", "-1e400"])("is refused: the number %s", async (number) => {
    const detail = await expectRefused(withRaw(`"request_id":${number}`), "request_id");
    expect(detail).not.toContain("send it as a string");
  });

  it.each(["9007199254740992", "9007199254740993", "12345678901234567890", "1e21"])(
    "is refused with the advice to send a string: the number %s",
    async (number) => {
      const detail = await expectRefused(withRaw(`"request_id":${number}`), "request_id");
      expect(detail).toContain("send it as a string");
    },
  );

  it.each(["9007199254740991", "0", "13443927.0", "1e3"])("is accepted: the number %s", async (number) => {
    const { status, body } = await call("POST", "/v1/jobs", { body: withRaw(`"request_id":${number}`) });
    expect([status, body.request_id]).toEqual([202, String(Number(number))]);
  });

  it.each(["a".repeat(128), "00", "-", "_", "Az09-_", "constructor"])(
    "is accepted: %j",
    async (request_id) => {
      const { status, body } = await register({ request_id });
      expect([status, body.request_id]).toEqual([202, request_id]);
    },
  );

  it("is refused when there is none at all", async () => {
    await expectRefused({ request_id: null }, "request_id");
  });
});

describe("a fetch_url", () => {
  it.each([
    ["an origin that is not listed", "https://evil.example/api/v3/fetch/1"],
    ["a listed name as a subdomain's suffix", "https://modelslab.com.evil.example/api/v3/fetch/1"],
    ["a listed name in front of an @", "https://modelslab.com@evil.example/api/v3/fetch/1"],
    ["a listed host with another port", "https://modelslab.com:8443/api/v3/fetch/1"],
    ["a listed host without TLS", "http://modelslab.com/api/v3/fetch/1"],
    ["credentials", "https://user:pw@modelslab.com/api/v3/fetch/1"],
    ["another scheme", "ftp://modelslab.com/api/v3/fetch/1"],
    ["no scheme", "modelslab.com/api/v3/fetch/1"],
    ["nothing", ""],
    ["another path", "https://modelslab.com/api/v3/text2img"],
  ])("is refused with %s", async (_, fetch_url) => {
    await expectRefused({ fetch_url, request_id: null }, "fetch_url");
  });
});

describe("a field that is not known", () => {
  it.each([
    "Callback_url",
    "webhook",
    "track_id",
    "constructor",
    "toString",
    "__proto__",
    "0",
    "a.b",
    "é",
    "",
  ])("is refused by its name: %j", async (name) => {
    const detail = await expectRefused(withRaw(`${JSON.stringify(name)}:null`), name, "unknown_field");
    expect(detail).toContain(`"${name}"`);
  });

  it("is named in full up to 64 characters, and shortened beyond", async () => {
    await expectRefused({ ["n".repeat(64)]: 1 }, "n".repeat(64), "unknown_field");
    await expectRefused({ ["n".repeat(65)]: 1 }, `${"n".repeat(63)}…`, "unknown_field");
    await expectRefused({ ["n".repeat(60_000)]: 1 }, `${"n".repeat(63)}…`, "unknown_field");
  });
});

describe("a refused registration of a request that is watched already", () => {
  it("changes nothing about it", async () => {
    const request_id = uniqueId();
    const id = await idOf(request_id);
    expect(await storageOf(id)).toEqual(EMPTY);
    const { body } = await register({ request_id });
    for (const overrides of [{ eta: -1 }, { callback_url: "http://example.com/" }, { nonsense: 1 }])
      expect((await register({ request_id, ...overrides })).status).toBe(422);
    expect((await call("GET", `/v1/jobs/${id}`)).body).toEqual(body);
  });
});
