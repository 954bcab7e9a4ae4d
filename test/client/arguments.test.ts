import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ClientOptions, Destinations, PollhookClient, PollhookError } from "../../src/client/index.ts";
import { json, ScriptedFetch } from "../support/scripted-fetch.ts";
import { aJob, at, clientOf, collect, ORIGIN, rejection } from "./client-of.ts";

let server: ScriptedFetch;
beforeEach(() => {
  server = new ScriptedFetch();
});
afterEach(() => {
  server.restore();
  expect(server.unexpected).toEqual([]);
});

const made = (options: object) => () =>
  new PollhookClient({ url: ORIGIN, token: "t-1", ...options } as ClientOptions);

describe("a client", () => {
  it.each([
    [ORIGIN, ORIGIN],
    [new URL(ORIGIN), ORIGIN],
    ["http://localhost:8787/", "http://localhost:8787"],
    [" https://pollhook.example/below/ ", "https://pollhook.example/below"],
  ])("is made for %s", async (url, origin) => {
    server.on(`${origin}/v1/jobs/job_1`, json(aJob()));
    await made({ url })().job("job_1");
  });

  it.each([
    undefined,
    null,
    "",
    7,
    {},
    "nonsense",
    "/v1",
    "ftp://pollhook.example",
    "https://",
    "https://a b",
    "https://pollhook.example:99999",
    "https://pollhook.example?a=1",
    "https://pollhook.example#a",
    "https://user:word@pollhook.example",
  ])("is not made for %j", (url) => {
    expect(made({ url })).toThrow(TypeError);
    expect(made({ url })).toThrow(/url .*https:/);
  });

  it.each([undefined, null, "", 7, {}, "t-1\n", "t 1", "t\u00001", "t-ü"])(
    "is not made with the token %j",
    (token) => {
      expect(made({ token })).toThrow(TypeError);
      expect(made({ token })).toThrow(/token/);
    },
  );

  it.each([Number.NaN, 0, -1, "30"])("is not made with the time limit %j", (timeoutMs) => {
    expect(made({ timeoutMs })).toThrow(/timeoutMs/);
  });

  it("shows nothing of a token that it refuses", () => {
    expect(made({ token: "secret\n" })).toThrow(/^(?!.*secret)/);
  });
});

it.each([undefined, null, "", 7, "t-1\n", "t\u00001"])(
  "sends nothing with %j from a token function",
  async (token) => {
    const { client } = clientOf({ token: () => token as string });
    for (const call of [client.job("job_1"), client.events("job_1").next()])
      expect(await rejection(call)).toMatchObject({ code: "token_unavailable", tries: 1 });
  },
);

describe("an argument that makes no sense sends nothing", () => {
  const invalid = async (promise: Promise<unknown>, field: string | null = null) => {
    const error = await rejection(promise);
    expect(error).toBeInstanceOf(PollhookError);
    expect(error).toMatchObject({ code: "invalid_value", field, status: null, tries: 1 });
  };
  const circular: Record<string, unknown> = {};
  circular.self = circular;

  it.each(["1\n2", "1\r", "\u0000", "ü", 7 as never, null as never])(
    "as lastEventId: %j",
    async (lastEventId) => {
      for (const canStream of [true, false])
        await invalid(clientOf({ canStream }).client.events("job_1", { lastEventId }).next(), "lastEventId");
    },
  );

  it("as what wait is to wait for, and how long", async () => {
    const { client } = clientOf();
    for (const until of ["end", "", null as never])
      await invalid(client.wait("job_1", { until: until as never }), "until");
    for (const timeoutSeconds of [Number.NaN, "4" as never])
      await invalid(client.wait("job_1", { timeoutSeconds }), "timeoutSeconds");
  });

  it("as a number of a query", async () => {
    const { client } = clientOf();
    await invalid(client.feed({ wait: Number.NaN }), "wait");
    await invalid(client.feed({ limit: Number.POSITIVE_INFINITY }), "limit");
    await invalid(client.followFeed({ limit: Number.NaN }).next(), "limit");
    await invalid(client.list({ limit: Number.NaN }).next(), "limit");
  });

  it.each([
    ["a bigint", { seed: 2n ** 64n }],
    ["what goes in circles", circular],
  ])("as %s, which JSON cannot write", async (_, metadata) => {
    const { client } = clientOf();
    const destinations = new Destinations(client);
    for (const call of [
      client.register({ request_id: 1, metadata }),
      client.registerResponse({ id: 1 }, { metadata }),
      client.redeliver("job_1", metadata),
      client.mintToken({ scope: "jobs:read", expires_in: 60, ...metadata }),
      destinations.put("app", { url: ORIGIN, headers: metadata }),
    ])
      await invalid(call);
    await invalid(client.registerResponse({ id: 1, metadata }), "response");
  });

  it("as a number that JSON has no word for, which would become none", async () => {
    const { client } = clientOf();
    await invalid(client.register({ request_id: 1, eta: Number.NaN }), "eta");
    await invalid(
      new Destinations(client).rotateSecret("app", { overlapSeconds: Number.NaN }),
      "overlap_seconds",
    );
  });

  it.each([[undefined], [null], [7], ["text"], [[]]])("as a body: %j", async (body) => {
    await invalid(clientOf().client.register(body as never));
    if (body !== "text") await invalid(clientOf().client.registerResponse(body as never), "response");
  });

  it.each([undefined, null, 7, {}, "\ud800"])("as an id: %j", async (id) => {
    await invalid(clientOf().client.job(id as never));
  });
});

it("registers a generation answer without a callback, to be watched", async () => {
  server.on(at("/v1/jobs"), json(aJob()), json(aJob()));
  await clientOf().client.registerResponse({ id: 1 });
  await clientOf().client.registerResponse('{"id":1}', undefined, {});
  expect(server.sent.map(({ body }) => body)).toEqual(['{"response":{"id":1}}', '{"response":{"id":1}}']);
});

it("leaves out of a query what is null, as a cursor that was never stored", async () => {
  server.on(at("/v1/jobs"), json({ jobs: [], next_cursor: null }));
  expect(await collect(clientOf().client.list({ cursor: null as never, host: undefined }))).toEqual([]);
});
