import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { call, fetchWorker, fire, token } from "../support/api.ts";
import { expectProblem } from "../support/http.ts";
import { HOOK, leave, newJob, processing, success } from "../support/life.ts";
import { ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

interface Message {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** Follows a job; the reader has to be let go. */
async function follow(id: string, headers: Record<string, string> = {}) {
  const authorization = `Bearer ${await token()}`;
  const response = await fetchWorker(`/v1/jobs/${id}/events`, {
    headers: { authorization, ...headers },
  });
  if (!response.body) throw new Error("no body");
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  return { response, reader, next: async () => messagesIn((await reader.read()).value ?? "") };
}

/** All that a stream has to say until it ends. */
async function all(id: string, headers: Record<string, string> = {}): Promise<Message[]> {
  const { reader } = await follow(id, headers);
  let text = "";
  for (let read = await reader.read(); !read.done; read = await reader.read()) text += read.value;
  return messagesIn(text);
}

const messagesIn = (text: string): Message[] =>
  text
    .split("\n\n")
    .filter((block) => block !== "" && !block.startsWith(":"))
    .map((block) => {
      const lines = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s).slice(0, 2)));
      return { id: lines.id, event: lines.event, data: JSON.parse(lines.data) };
    });

const done = async () => {
  const job = await newJob();
  fetched.on(job.poll, success).on(HOOK, status(204));
  await fire(job.id);
  return job;
};

describe("the events of a job", () => {
  it("come as they happen, and end with the job", async () => {
    const job = await newJob();
    const { response, next, reader } = await follow(job.id);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await next()).toEqual([]);
    fetched.on(job.poll, processing, success).on(HOOK, status(204));
    await fire(job.id);
    expect((await next()).map(({ event }) => event)).toEqual(["poll"]);
    await fire(job.id);
    const rest: Message[] = [];
    for (let read = await reader.read(); !read.done; read = await reader.read())
      rest.push(...messagesIn(read.value));
    expect(rest.map(({ event }) => event)).toEqual(["poll", "outcome", "attempt", "done"]);
    expect(rest.at(-1)?.data).toEqual({ status: "delivered", outcome: "succeeded" });
  });

  it("of a job that is over come at once, and go on behind the last one that was seen", async () => {
    const job = await done();
    const messages = await all(job.id);
    expect(messages.map(({ event }) => event)).toEqual(["poll", "outcome", "attempt", "done"]);
    expect(await all(job.id, { "last-event-id": messages[1]?.id ?? "" })).toEqual(messages.slice(2));
    expect(await all(job.id, { "last-event-id": messages[3]?.id ?? "" })).toEqual([]);
  });

  it("are nobody else's", async () => {
    const job = await done();
    const auth = await token({ sub: "globex" });
    const notFound = { status: 404, code: "not_found" };
    expectProblem(await call("GET", `/v1/jobs/${job.id}/events`, { auth }), notFound);
    expectProblem(await call("GET", "/v1/jobs/nothing/events"), notFound);
    expectProblem(
      await call("GET", `/v1/jobs/${job.id}/events`, { auth: await token({ scope: "jobs:write" }) }),
      {
        status: 403,
        code: "insufficient_scope",
      },
    );
  });

  it("show a bounded token its owner's jobs alone, and nothing that a receiver answered", async () => {
    const job = await newJob();
    const mint = async (owner: string): Promise<string> => {
      const body = { scope: "jobs:read jobs:write", expires_in: 60, owner, any_request: true };
      return (await call("POST", "/v1/tokens", { body })).body.token;
    };
    const [own, other] = [await mint("user-7"), await mint("user-8")];
    const body = { request_id: "777", callback_url: HOOK, key: "sk-caller-1", eta: 600 };
    const { body: mine } = await call("POST", "/v1/jobs", { body, auth: own });
    fetched.on("https://modelslab.com/api/v3/fetch/777", success);
    fetched.on(HOOK, () => new Response("an answer of the receiver", { status: 410 }));
    await fire(mine.id);
    const attempts = (messages: Message[]) => messages.filter(({ event }) => event === "attempt");
    expect(attempts(await all(mine.id))[0]?.data.response).toBe("an answer of the receiver");
    expect(attempts(await all(mine.id, { authorization: `Bearer ${own}` }))[0]?.data).not.toHaveProperty(
      "response",
    );
    const refused = { status: 403, code: "token_bound" };
    expectProblem(await call("GET", `/v1/jobs/${mine.id}/events`, { auth: other }), refused);
    expectProblem(await call("GET", `/v1/jobs/${job.id}/events`, { auth: own }), refused);
  });

  it("are followed by 32 at most", async () => {
    const job = await newJob();
    const followers = [];
    for (let i = 0; i < 32; i++) {
      const follower = await follow(job.id);
      await follower.next();
      followers.push(follower);
    }
    // Each has asked for what comes next by now.
    await scheduler.wait(200);
    expectProblem(await call("GET", `/v1/jobs/${job.id}/events`), { status: 503, code: "unavailable" });
    await call("POST", `/v1/jobs/${job.id}/cancel`);
    for (const { reader } of followers) while (!(await reader.read()).done);
    expect((await all(job.id)).map(({ event }) => event)).toEqual(["outcome", "done"]);
  });
});
