/**
 * What a caller can do to HTTP itself on a node of one's own, where nothing stands in front of workerd: it is the caller's
 * fault, and answered as one.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, Connection, header } from "./callers/wire.ts";
import { PollhookNode } from "./node.ts";

const LIMIT_MS = 20_000;

let node: PollhookNode;
let token: string;
const lines: string[] = [];

beforeAll(async () => {
  node = await PollhookNode.create({ vars: {}, onLog: (line) => lines.push(line) });
  await node.start();
  token = await node.token("acme");
}, 120_000);
afterAll(() => node.tearDown());

/** The answer to these bytes, with which the caller has said all. */
async function answerTo(...parts: readonly string[]): Promise<Answer> {
  const connection = await Connection.open(Number(new URL(node.origin).port));
  try {
    connection.send(parts.join("\r\n"));
    connection.finish();
    const exchange = await connection.receive("POST", LIMIT_MS);
    if (exchange.kind !== "answered") throw new Error(`${exchange.kind}: ${exchange.text}`);
    return exchange.answer;
  } finally {
    connection.destroy();
  }
}

describe("a Host that is none", () => {
  it.each(["a b", "x:99999", "x:y", "[::1", "%zz", "<b>"])("leads nowhere: %s", async (host) => {
    for (const path of ["/v1/jobs", "/healthz", "/api/v3/fetch/1"]) {
      const head = [`GET ${path} HTTP/1.1`, `Host: ${host}`, `Authorization: Bearer ${token}`];
      const answer = await answerTo(...head, "", "");
      expect(answer.status).toBe(404);
      expect(header(answer, "content-type")).toBe("application/problem+json");
      expect(JSON.parse(answer.body)).toMatchObject({ code: "not_found" });
    }
    expect(lines.filter((line) => line.includes("http.failed"))).toEqual([]);
  });
});

describe("a body that does not come to its end", () => {
  const head = (path: string, framing: string) => [
    `POST ${path} HTTP/1.1`,
    "Host: pollhook.example",
    `Authorization: Bearer ${token}`,
    "Content-Type: application/json",
    framing,
    "",
  ];
  const BODY = '{"request_id":1}';

  it.each([
    ["its chunks are none", "Transfer-Encoding: chunked", `zz\r\n${BODY}\r\n0\r\n\r\n`],
    ["a chunk is longer than it says", "Transfer-Encoding: chunked", `1\r\n${BODY}\r\n0\r\n\r\n`],
    ["the last chunk is missing", "Transfer-Encoding: chunked", `10\r\n${BODY}\r\n`],
    ["it has fewer bytes than it says", "Content-Length: 100", BODY],
  ])("is malformed: %s", async (_, framing, body) => {
    for (const path of ["/v1/jobs", "/v1/jobs/batch"]) {
      const answer = await answerTo(...head(path, framing), body);
      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.body)).toMatchObject({ code: "malformed_body" });
    }
    const answer = await answerTo(...head("/api/v3/fetch/1", framing), body);
    expect([answer.status, JSON.parse(answer.body).status]).toEqual([400, "error"]);
    expect(lines.filter((line) => line.includes("http.failed"))).toEqual([]);
  });
});
