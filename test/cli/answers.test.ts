import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { detailOf } from "../../src/cli/server.ts";
import { PollhookError } from "../../src/client/index.ts";
import { aJob } from "../client/client-of.ts";
import { pollhook } from "./io.ts";

const BIG = "12345678901234567890";
/** A provider's answer is spliced in as it came: line ends, too. */
const JOB = JSON.stringify(aJob()).replace(
  '"result":null',
  `"result":{\r\n  "seed": ${BIG},\n"text": "a  b\\n"\n}`,
);
const ON_ONE_LINE = JSON.stringify(aJob()).replace(
  '"result":null',
  `"result":{"seed": ${BIG},"text": "a  b\\n"}`,
);

let server: Server;
let sent: string[];
let origin: string;
beforeEach(async () => {
  sent = [];
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = await request.toArray();
    sent.push(`${request.method} ${request.url} ${Buffer.concat(chunks)}`);
    if (request.method === "DELETE") return response.writeHead(204).end();
    response.writeHead(200, { "content-type": "application/json" }).end(JOB);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

const ran = (argv: readonly string[], files: Record<string, string> = {}) =>
  pollhook(argv, { env: { POLLHOOK_URL: origin, POLLHOOK_TOKEN: "t" }, files });

it.each([
  [["register", "--request-id", "1"]],
  [["job", "job_1"]],
  [["cancel", "job_1"]],
  [["redeliver", "job_1"]],
])("prints what %j was answered to the digit, on one line", async (argv) => {
  expect(await ran([...argv, "--json"])).toEqual({ code: 0, out: [ON_ONE_LINE], err: [], shown: [] });
});

it("prints JSON, too, when that is said in front of the command", async () => {
  expect((await ran(["--json", "job", "job_1"])).out).toEqual([ON_ONE_LINE]);
});

it("sends metadata and the provider's answer to the digit", async () => {
  const metadata = `{"n": ${BIG}}`;
  await ran(["register", "--request-id", "1", "--metadata", metadata]);
  await ran(["register", "--response", "answer", "--eta", "2"], { answer: `{"id": ${BIG}}\n` });
  expect(sent).toEqual([
    `POST /v1/jobs {"request_id":"1","metadata":${metadata}}`,
    `POST /v1/jobs {"eta":2,"response":{"id": ${BIG}}\n}`,
  ]);
});

it("prints a JSON line for what it has deleted, where JSON is asked for", async () => {
  const { out } = await ran(["destinations", "delete", "app", "--json"]);
  expect(out.map((line) => JSON.parse(line))).toEqual([{ name: "app", deleted: true }]);
  expect((await ran(["destinations", "delete", "app"])).out).toEqual([]);
});

describe("a server that cannot be reached", () => {
  const asked = (url: string) =>
    pollhook(["job", "job_1"], { env: { POLLHOOK_URL: url, POLLHOOK_TOKEN: "t" } });

  it("is named, with the cause", async () => {
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const { code, err } = await asked(`http://127.0.0.1:${port}/below`);
    const [line] = err;
    expect([code, line]).toEqual([
      1,
      `pollhook: http://127.0.0.1:${port} could not be reached: ECONNREFUSED. (network)`,
    ]);
  });

  it("is named where the cause lies deeper", () => {
    const lookup = Object.assign(new Error("getaddrinfo"), { code: "ENOTFOUND" });
    const cause = new TypeError("fetch failed", { cause: lookup });
    const error = new PollhookError({ code: "network", detail: "The server could not be reached.", cause });
    const env = { POLLHOOK_URL: "https://user:secret@pollhook.example/below" };
    expect(detailOf(error, { env })).toBe("https://pollhook.example could not be reached: ENOTFOUND.");
  });
});
