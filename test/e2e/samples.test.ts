/**
 * Code written against the provider's documentation: the samples of its pages, changed in nothing but host, key and
 * id, against the running Worker. Each is answered with the example response of its page, to the byte.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { phpJson } from "../simulator/provider-answers.ts";
import { SEED_PAGES } from "../support/seed-pages.ts";
import { filled, REPLAYED, requestOf, run, SAMPLES, send, type WireRequest } from "./samples.ts";
import { Setting } from "./setting.ts";

const PROVIDER_KEY = "sim-provider-key";

let setting: Setting;
beforeAll(async () => {
  setting = await Setting.create();
  await setting.start();
}, 90_000);
afterAll(() => setting.tearDown());

const queueAll = () => {
  for (const { endpoint, requestId, response } of SEED_PAGES)
    setting.provider.add({ endpoint, id: requestId, answer: response });
};

const EACH_TAB = SAMPLES.flatMap((sample) =>
  REPLAYED.map((tab) => ({ sample, tab, title: sample.page.title, endpoint: sample.page.endpoint })),
);

describe("a sample", () => {
  it("sends the bytes that its language writes", () => {
    const bodies = SAMPLES.slice(0, 1).flatMap((sample) =>
      REPLAYED.map((tab) => requestOf(tab, filled(sample, tab, "http://127.0.0.1:1", "token")).body),
    );
    expect(bodies).toEqual([
      '{"key":"token","request_id":"13443927"}',
      '{"key":"token","request_id":"13443927"}',
      '{"key": "token", "request_id": "13443927"}',
      '{\n "key": "token",\n "request_id": "13443927"\n}',
    ]);
  });

  it("is as printed, but for host, key, id and one lost quote", () => {
    const changed = SAMPLES.map(({ page, tabs }) => {
      const code = filled({ page, tabs }, "JS", page.origin, "");
      return tabs
        .get("JS")
        ?.split("\n")
        .filter((line) => !code.includes(line));
    });
    expect(changed).toEqual([
      ['"request_id": "your_request_id"'],
      [],
      ['fetch(https://modelslab.com/api/v1/enterprise/interior/fetch/{id}", requestOptions)'],
      ['fetch("https://modelslab.com/api/v1/enterprise/flux/fetch/{id}", requestOptions)'],
      [' "request_id": "your_request_id"  '],
    ]);
  });
});

describe("a request that has no job", () => {
  let token = "";
  beforeAll(async () => {
    token = await setting.tokenFor("visitor");
  });
  beforeEach(() => {
    setting.provider.reset();
    queueAll();
  });

  const expectAskedOnce = (path: string) => {
    const calls = setting.provider.calls();
    expect(calls).toMatchObject([{ method: "POST", path, status: 200 }]);
    expect(JSON.parse(calls[0]?.body ?? "")).toMatchObject({ key: PROVIDER_KEY });
    expect(JSON.stringify(calls)).not.toContain(token);
  };

  it.each(SAMPLES)(
    "is answered through the JavaScript sample of «$page.title» ($page.endpoint)",
    async (sample) => {
      const logged = await run(filled(sample, "JS", setting.worker.origin, token));
      expect(JSON.parse(logged)).toEqual(JSON.parse(sample.page.response));
      expect(logged).toBe(sample.page.response);
      expectAskedOnce(sample.page.path);
    },
  );

  it.each(EACH_TAB)("is answered to the $tab sample of «$title» ($endpoint)", async ({ sample, tab }) => {
    const replayed = requestOf(tab, filled(sample, tab, setting.worker.origin, token));
    const answer = await send(replayed);
    expect(answer).toMatchObject({ status: 200, text: sample.page.response });
    expectAskedOnce(new URL(replayed.url).pathname);
  });
});

describe("a finished request that the provider has forgotten", () => {
  beforeAll(async () => {
    setting.provider.reset();
    queueAll();
    for (const [index, page] of SEED_PAGES.entries()) {
      const webhook = setting.receiver.hookUrl(`sample-${index}`);
      // As PHP writes it, every slash escaped.
      const body = phpJson({ ...JSON.parse(page.body(setting.token)), webhook, track_id: index });
      const headers = { "content-type": "application/json" };
      const response = await fetch(setting.worker.origin + page.path, { method: "POST", headers, body });
      expect(await response.json()).toEqual({
        status: "processing",
        id: Number(page.requestId),
        eta: expect.any(Number),
        message: expect.any(String),
        fetch_result: `${setting.worker.origin}/api/${page.endpoint}/fetch/${page.requestId}`,
        output: [],
        job_id: expect.stringMatching(/^job_/),
      });
    }
    for (const [track_id, page] of SEED_PAGES.entries()) {
      const [delivery] = await setting.receiver.waitForCount(`/hook/sample-${track_id}`, 1, 30_000);
      expect(delivery?.verified).toBe(true);
      expect(JSON.parse(delivery?.body ?? "")).toEqual({ ...JSON.parse(page.response), track_id });
    }
    setting.provider.reset();
  }, 60_000);

  it.each(SAMPLES)(
    "is answered through the JavaScript sample of «$page.title» ($page.endpoint)",
    async (sample) => {
      const logged = await run(filled(sample, "JS", setting.worker.origin, setting.token));
      expect(JSON.parse(logged)).toEqual(JSON.parse(sample.page.response));
      expect(logged).toBe(sample.page.response);
    },
  );

  it.each(EACH_TAB)("is answered to the $tab sample of «$title» ($endpoint)", async ({ sample, tab }) => {
    const answer = await send(requestOf(tab, filled(sample, tab, setting.worker.origin, setting.token)));
    expect(answer).toMatchObject({ status: 200, text: sample.page.response });
  });

  it("is not asked for again", () => {
    expect(setting.provider.calls()).toEqual([]);
  });
});

describe("a sample in a web page of any origin", () => {
  const PAGE_ORIGIN = "https://shop.example";
  const ask = (method: string, path: string, body: string, more: WireRequest["headers"] = []) => {
    const { origin, port } = new URL(setting.worker.origin);
    const headers = [
      ["Host", `127.0.0.1:${port}`],
      ["Origin", PAGE_ORIGIN],
      ["Connection", "close"],
    ] as const;
    const length = ["Content-Length", String(Buffer.byteLength(body))] as const;
    return send({ url: origin + path, method, headers: [...headers, length, ...more], body });
  };
  const JSON_TYPE: WireRequest["headers"] = [["Content-Type", "application/json"]];

  beforeAll(queueAll);

  it.each(SEED_PAGES)("may call $path once it has asked", async ({ path }) => {
    const { status, headers } = await ask("OPTIONS", path, "", [
      ["Access-Control-Request-Method", "POST"],
      ["Access-Control-Request-Headers", "content-type,idempotency-key"],
    ]);
    expect(status).toBe(204);
    expect(headers).toMatchObject({
      "access-control-allow-origin": "*",
      "access-control-allow-methods": expect.stringContaining("POST"),
    });
    expect(String(headers["access-control-allow-headers"]).split(",")).toEqual(
      expect.arrayContaining(["content-type", "idempotency-key"]),
    );
    expect(headers).not.toHaveProperty("access-control-allow-credentials");
  });

  it.each(SEED_PAGES)("may read the answer of $path", async ({ path, body, response }) => {
    const answer = await ask("POST", path, body(setting.token), JSON_TYPE);
    expect(answer).toMatchObject({ status: 200, text: response });
    expect(answer.headers["access-control-allow-origin"]).toBe("*");
  });

  it.each([
    ["without a token", 401, "POST", "/api/v3/fetch/1", "{}", JSON_TYPE],
    ["with a token that is none", 401, "POST", "/api/v3/fetch/1", '{"key":"sim-provider-key"}', JSON_TYPE],
    ["that is no JSON", 400, "POST", "/api/v3/fetch/1", "{", JSON_TYPE],
    ["that does not say it is JSON", 415, "POST", "/api/v3/fetch/1", "{}", []],
    ["by another method", 405, "PUT", "/api/v3/fetch/1", "", []],
    ["on a path that there is not", 404, "POST", "/api/v2/text2img", "{}", JSON_TYPE],
    ["of a body that is too large", 413, "POST", "/api/v3/fetch/1", " ".repeat(70_000), JSON_TYPE],
  ] as const)("may read why a call %s is refused", async (_, status, method, path, body, headers) => {
    const answer = await ask(method, path, body, headers);
    expect(answer.status).toBe(status);
    expect(answer.headers["access-control-allow-origin"]).toBe("*");
    expect(JSON.parse(answer.text)).toEqual({ status: "error", message: expect.any(String) });
    expect(answer.text).not.toContain("sim-provider-key");
  });

  it.each([
    "/api",
    "/api/",
    "/api/v3/fetch",
    "/api/v3/fetch/",
    "/api/v3/fetch/12202888/",
    "/api//v3/fetch/12202888",
    "//api/v3/fetch/12202888",
    "/api/v3/../v3/fetch/12202888",
    "/api/v3/text2img/",
  ])("is led nowhere else by %s", async (path) => {
    const { status, headers } = await ask("POST", path, JSON.stringify({ key: setting.token }), JSON_TYPE);
    expect(headers).not.toHaveProperty("location");
    expect(Math.floor(status / 100)).not.toBe(3);
  });

  it("is not led on when the provider redirects", async () => {
    const misbehaviours = [{ kind: "redirect", location: `${setting.receiver.origin}/hook/trap` } as const];
    setting.provider.add({ endpoint: "v3", id: 31, misbehaviours });
    const answer = await ask("POST", "/api/v3/fetch/31", JSON.stringify({ key: setting.token }), JSON_TYPE);
    expect(answer.status).toBe(502);
    expect(answer.headers).not.toHaveProperty("location");
    expect(setting.receiver.deliveries("/hook/trap")).toEqual([]);
  });
});
