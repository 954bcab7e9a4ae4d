import { execFile, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { forward } from "../../src/cli/forward.ts";
import type { FeedEvent } from "../../src/client/index.ts";
import { ROOT } from "../demo/worker-process.ts";
import { pollhook, type Ran, type Surroundings } from "./io.ts";

const BODY = '{"type":"job.succeeded","data":{"seed":12345678901234567890,"name":"ü 🎈"}}\n';

const anEvent = (place: number): FeedEvent => ({
  cursor: `c${place}`,
  job_id: `job_${place}`,
  id: `msg_${place}`,
  headers: {
    "content-type": "application/json",
    "user-agent": "pollhook/0.1.0",
    "webhook-id": `msg_${place}`,
    "webhook-timestamp": "1795225824",
    "webhook-signature": "v1,leImb2tTM/Q/BCgGaWcruwqrM4mkSAMCtrE9N/rKdnU=",
    "pollhook-attempt": "1",
  },
  body: BODY,
});

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let feed: Feed;
let receiver: LocalServer;
beforeEach(async () => {
  feed = await Feed.start();
  receiver = await LocalServer.start();
});
afterEach(() => Promise.all([feed.close(), receiver.close()]));

/** A feed that has as many events as it is told, and holds who has seen them all. */
class Feed {
  readonly asked: string[] = [];
  count = 0;
  /** Answers in place of the next pages. */
  readonly faults: number[] = [];
  #server: Server | null = null;
  origin = "";

  static async start(): Promise<Feed> {
    const feed = new Feed();
    feed.#server = createServer(async (request, response) => {
      const { searchParams, search } = new URL(request.url ?? "", "http://localhost");
      feed.asked.push(search);
      const fault = feed.faults.shift();
      if (fault !== undefined) return response.writeHead(fault).end("{}");
      const after = searchParams.get("after");
      const from = after === "latest" ? feed.count : Number(after?.slice(1) ?? 0);
      while (from >= feed.count && Number(searchParams.get("wait")) > 0 && !response.closed)
        await new Promise((resolve) => setTimeout(resolve, 10));
      const events = from < feed.count ? [anEvent(from + 1)] : [];
      response.end(JSON.stringify({ events, next_cursor: `c${from + events.length}` }));
    });
    feed.origin = await listening(feed.#server);
    return feed;
  }

  close = () => closed(this.#server);
}

/** What a developer works at: answers what it is told to, else 204. */
class LocalServer {
  readonly received: Received[] = [];
  readonly answers: number[] = [];
  url = "";
  #server: Server | null = null;

  static async start(port = 0): Promise<LocalServer> {
    const local = new LocalServer();
    local.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      local.received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(local.answers.shift() ?? 204, { location: "/elsewhere" }).end();
    });
    local.url = `${await listening(local.#server, port)}/hook`;
    return local;
  }

  get ids(): unknown[] {
    return this.received.map(({ headers }) => headers["webhook-id"]);
  }

  close = () => closed(this.#server);
}

async function listening(server: Server, port = 0): Promise<string> {
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function closed(server: Server | null): Promise<void> {
  if (!server?.listening) return;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

const envOf = () => ({ POLLHOOK_URL: feed.origin, POLLHOOK_TOKEN: "t" });

const listens = (argv: readonly string[], more: Surroundings = {}): Promise<Ran> =>
  pollhook(["listen", ...argv], { env: envOf(), ...more });

describe("listen --forward", () => {
  it("brings each event to the local server with its headers and its bytes, in order", async () => {
    feed.count = 3;
    const { code, out, err } = await listens(["--forward", receiver.url, "--all", "--limit", "3"]);
    expect([code, err]).toEqual([0, []]);
    expect(receiver.received.map(({ body }) => body)).toEqual([BODY, BODY, BODY]);
    expect(receiver.ids).toEqual(["msg_1", "msg_2", "msg_3"]);
    const { host, connection, ...rest } = receiver.received[0]?.headers ?? {};
    expect(rest).toEqual({ ...anEvent(1).headers, "content-length": String(Buffer.byteLength(BODY)) });
    expect(out[0]).toMatch(/^\d\d:\d\d:\d\d {2}msg_1 {2}job\.succeeded {2}job_1 {2}204 {2}\d+ ms$/);
    expect(out.at(-1)).toBe("cursor: c3");
  });

  it("asks for one event at a time, so that no signature grows old in line", async () => {
    feed.count = 2;
    await listens(["--forward", receiver.url, "--all", "--limit", "2"]);
    expect(feed.asked).toEqual(["?wait=30&limit=1", "?after=c1&wait=30&limit=1"]);
  });

  it("begins with what comes from now on, unless it is told otherwise", async () => {
    feed.count = 2;
    const listening = listens(["--forward", receiver.url, "--limit", "1"]);
    await until(() => feed.asked.length === 2);
    feed.count = 3;
    expect((await listening).code).toBe(0);
    await listens(["--forward", receiver.url, "--limit", "1", "--after", "c1"]);
    expect(receiver.ids).toEqual(["msg_3", "msg_2"]);
  });

  it("prints JSON lines, the last of them with the cursor", async () => {
    feed.count = 1;
    const { out } = await listens(["--forward", receiver.url, "--all", "--limit", "1", "--json"]);
    expect(out.map((line) => JSON.parse(line))).toEqual([
      {
        at: expect.any(String),
        id: "msg_1",
        type: "job.succeeded",
        job_id: "job_1",
        cursor: "c1",
        http_status: 204,
        fault: null,
        duration_ms: expect.any(Number),
        tries: 1,
      },
      { next_cursor: "c1" },
    ]);
  });

  it("comes again with an event that is not accepted, before the next one", async () => {
    feed.count = 2;
    receiver.answers.push(500, 302);
    const { code, err } = await listens(["--forward", receiver.url, "--all", "--limit", "2"]);
    expect(code).toBe(0);
    // The redirect was not followed.
    expect(receiver.ids).toEqual(["msg_1", "msg_1", "msg_1", "msg_2"]);
    expect(err).toEqual([
      "pollhook: msg_1: answered 500. Trying again in 1 s.",
      "pollhook: msg_1: answered 302. Trying again in 2 s.",
    ]);
  });

  it("goes on after so many retries, and ends with 1", async () => {
    feed.count = 2;
    receiver.answers.push(500, 500);
    const { code, out } = await listens([
      "--forward",
      receiver.url,
      "--all",
      "--limit",
      "2",
      "--retries",
      "1",
      "--json",
    ]);
    expect(code).toBe(1);
    expect(out.map((line) => JSON.parse(line))).toMatchObject([
      { http_status: 500, tries: 2 },
      { http_status: 204, tries: 1 },
      { next_cursor: "c2" },
    ]);
  });

  it("does not come again after a 410", async () => {
    feed.count = 1;
    receiver.answers.push(410);
    expect((await listens(["--forward", receiver.url, "--all", "--limit", "1"])).code).toBe(1);
    expect(receiver.ids).toEqual(["msg_1"]);
  });

  it("waits for a server that is down", async () => {
    feed.count = 1;
    const { url } = receiver;
    await receiver.close();
    const listening = listens(["--forward", url, "--all", "--limit", "1", "--retries", "10", "--json"]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    receiver = await LocalServer.start(Number(new URL(url).port));
    const { code, out, err } = await listening;
    expect([code, receiver.ids]).toEqual([0, ["msg_1"]]);
    expect(JSON.parse(err[0] ?? "")).toMatchObject({
      code: "not_accepted",
      detail: expect.stringContaining("nobody listens there"),
    });
    expect(JSON.parse(out[0] ?? "")).toMatchObject({ http_status: 204 });
  });
});

it("prints events where there is nobody to bring them to", async () => {
  feed.count = 1;
  const { out } = await listens(["--all", "--limit", "1"]);
  expect(out).toEqual([expect.stringMatching(/ {2}msg_1 {2}job\.succeeded {2}job_1$/), "cursor: c1"]);
  const json = await listens(["--all", "--limit", "1", "--json"]);
  expect(JSON.parse(json.out[0] ?? "")).toEqual(anEvent(1));
});

it("goes on from the cursor in the file, which it keeps after each event", async () => {
  const files: Record<string, string> = {};
  const argv = ["--cursor-file", "here", "--forward", receiver.url, "--limit", "1"];
  feed.count = 2;
  for (const after of ["c1", "c2"]) {
    await listens([...argv, "--all"], { files });
    expect(files.here).toBe(`${after}\n`);
  }
  expect(receiver.ids).toEqual(["msg_1", "msg_2"]);
});

it("does not take a cursor file that is empty for none, but where it is told where to begin", async () => {
  const files: Record<string, string> = { here: "" };
  const { code, err } = await listens(["--cursor-file", "here", "--limit", "1"], { files });
  expect([code, err.join("\n")]).toEqual([2, expect.stringMatching(/here is empty/)]);
  expect(files.here).toBe("");
  feed.count = 1;
  expect((await listens(["--cursor-file", "here", "--all", "--limit", "1"], { files })).code).toBe(0);
  expect(files.here).toBe("c1\n");
});

it("keeps what `latest` was, so that what comes between two runs is not passed over", async () => {
  const files: Record<string, string> = {};
  feed.count = 5;
  const controller = new AbortController();
  const first = listens(["--cursor-file", "here"], { files, interrupt: controller.signal });
  await until(() => files.here !== undefined);
  controller.abort();
  expect(await first).toMatchObject({ code: 0, out: ["cursor: c5"] });
  feed.count = 6;
  const { out } = await listens(["--cursor-file", "here", "--limit", "1"], { files });
  expect(out[0]).toContain("msg_6");
});

it("says that the feed is out of reach, and goes on when it is back", async () => {
  feed.count = 1;
  feed.faults.push(503, 503, 503, 503);
  const { code, err } = await listens(["--all", "--limit", "1"]);
  expect([code, err]).toEqual([0, [expect.stringMatching(/ Trying again in \d s\.$/)]]);
});

it("ends with 1 and the problem when it is refused, and takes no cursor for granted that nobody gave it", async () => {
  feed.faults.push(403);
  expect(await listens(["--all"])).toMatchObject({ code: 1, out: [], err: [expect.stringContaining("403")] });
  feed.faults.push(422);
  const bogus = await listens(["--after", "bogus"]);
  expect(bogus).toMatchObject({ code: 1, out: [], err: [expect.stringContaining("422")] });
});

it("prints the cursor, too, when a refusal ends it later on", async () => {
  feed.count = 1;
  const listening = listens(["--all"]);
  await until(() => feed.asked.length === 2);
  feed.faults.push(403);
  feed.count = 2;
  expect(await listening).toMatchObject({
    code: 1,
    out: [expect.stringContaining("msg_1"), expect.stringContaining("msg_2"), "cursor: c2"],
  });
});

describe("at Ctrl-C before the first event is dealt with", () => {
  const interrupted = async (argv: readonly string[], at: () => boolean): Promise<readonly string[]> => {
    const controller = new AbortController();
    const listening = listens(argv, { interrupt: controller.signal });
    await until(at);
    controller.abort();
    const { code, out, err } = await listening;
    expect(code).toBe(0);
    expect(err.filter((line) => !line.includes("Trying again"))).toEqual([]);
    return out;
  };

  it("prints where it began", async () => {
    feed.count = 3;
    expect(await interrupted(["--after", "c3"], () => feed.asked.length === 1)).toEqual(["cursor: c3"]);
    expect(await interrupted([], () => feed.asked.length === 3)).toEqual(["cursor: c3"]);
  });

  it("prints where it began while the first event is not accepted", async () => {
    feed.count = 3;
    receiver.answers.push(500, 500, 500, 500);
    const argv = ["--after", "c2", "--forward", receiver.url];
    expect(await interrupted(argv, () => receiver.ids.length === 1)).toEqual(["cursor: c2"]);
  });

  it("says that there is none yet", async () => {
    expect(await interrupted(["--all"], () => feed.asked.length === 1)).toEqual(["cursor: none yet"]);
    const json = await interrupted(["--all", "--json"], () => feed.asked.length === 2);
    expect(json).toEqual(['{"next_cursor":null}']);
  });
});

describe("as a process", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "pollhook-listen-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const main = join(ROOT, "src", "cli", "main.ts");
  const env = () => ({ ...process.env, ...envOf() });

  it.each(["SIGINT", "SIGTERM"] as const)("ends with 0 and the cursor at a %s", async (name) => {
    const file = join(folder, "cursor");
    feed.count = 1;
    const argv = [main, "listen", "--all", "--forward", receiver.url, "--cursor-file", file];
    const child = spawn(process.execPath, argv, { env: env(), stdio: ["ignore", "pipe", "inherit"] });
    let out = "";
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    const ended = new Promise((resolve) => child.on("exit", (code, signal) => resolve([code, signal])));
    await until(() => feed.asked.includes("?after=c1&wait=30&limit=1"));
    child.kill(name);
    expect(await ended).toEqual([0, null]);
    expect(out).toMatch(/204 {2}\d+ ms\ncursor: c1\n$/);
    expect(await readFile(file, "utf8")).toBe("c1\n");
    // Nothing is left of how it was written.
    expect(await readdir(folder)).toEqual(["cursor"]);
  });

  it("ends with 2 where the cursor cannot be kept", async () => {
    feed.count = 1;
    const argv = [main, "listen", "--all", "--limit", "1", "--cursor-file", join(folder, "no", "cursor")];
    argv.push("--forward", receiver.url);
    await expect(promisify(execFile)(process.execPath, argv, { env: env() })).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining("cannot be written"),
    });
    // Before anything went out: else it would go out again at each start.
    expect(receiver.ids).toEqual([]);
  });
});

it("gives a server that does not answer so much time, and no more", async () => {
  const silent = createServer(() => {});
  const url = new URL(await listening(silent));
  try {
    const { status, fault } = await forward(url, anEvent(1), new AbortController().signal, 50);
    expect([status, fault]).toEqual([null, "no answer in 0.05 s"]);
  } finally {
    await closed(silent);
  }
});

it("decides on the headers, and listens to the rest for a moment only", async () => {
  let isCut = false;
  const endless = createServer((_, response) => {
    response.on("close", () => {
      isCut = true;
    });
    response.writeHead(200).write("and so on");
  });
  const url = new URL(await listening(endless));
  try {
    expect(await forward(url, anEvent(1), new AbortController().signal)).toMatchObject({ status: 200 });
    await until(() => isCut);
  } finally {
    await closed(endless);
  }
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}
