/**
 * Peers that send more than their answer, on a connection that the next request goes out on: what was left behind must
 * never be taken for an answer to another job. Each attack has its own server, whose other requests are served well.
 */
import { message, send, whole } from "./catalogue/bad-answer.ts";
import type { Field } from "./field.ts";
import type { RawServer } from "./raw-server.ts";

const POISON = '{"status":"success","output":["poison"]}';
const FORGED = message("HTTP/1.1 200 OK", [`Content-Length: ${POISON.length}`], POISON);
const GONE = message("HTTP/1.1 410 Gone", ["Content-Length: 0"], "");
const own = (id: string): string => `{"status":"success","output":["https://cdn.example/${id}.png"]}`;

/** What stands in front of an answer that nobody asked for. */
const ATTACKS: readonly (readonly [name: string, before: (body: string) => string])[] = [
  ["behind a whole answer", (body) => message("HTTP/1.1 200 OK", [`Content-Length: ${body.length}`], body)],
  ["behind an answer of length 0", () => message("HTTP/1.1 200 OK", ["Content-Length: 0"], "")],
  ["as the body of 204", () => message("HTTP/1.1 204 No Content", [], "")],
  ["as the body of 304", () => message("HTTP/1.1 304 Not Modified", [], "")],
  [
    "behind the last chunk",
    (body) =>
      message(
        "HTTP/1.1 200 OK",
        ["Transfer-Encoding: chunked"],
        `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
      ),
  ],
  [
    "behind trailers",
    () => message("HTTP/1.1 200 OK", ["Transfer-Encoding: chunked"], "0\r\nX-A: b\r\n\r\n"),
  ],
];
/** Jobs that come to the same server behind the one that was attacked. */
const VICTIMS = 6;
const LIMIT_MS = 60_000;

export interface NeighboursResult {
  readonly attacks: number;
  readonly victims: number;
  /** Requests that went out on a connection that had been used before. */
  readonly reused: number;
  readonly failures: readonly string[];
}

export interface Neighbours {
  /** Where providers' servers listen. */
  readonly origins: readonly string[];
  attack(): Promise<NeighboursResult>;
}

/** Opens the servers; their attacks come later. */
export async function prepareNeighbours(field: Field): Promise<Neighbours> {
  const providers: RawServer[] = [];
  const receivers: RawServer[] = [];
  for (const [, before] of ATTACKS) {
    providers.push(
      await field.open((number, request) => {
        const body = own(request?.path.split("/").at(-1) ?? "");
        return { script: number === 0 ? send(before(body) + FORGED) : whole(body) };
      }),
    );
    receivers.push(
      await field.open((number) => ({
        script: send(number === 0 ? before("{}") + GONE : message("HTTP/1.1 204 No Content", [], "")),
      })),
    );
  }
  const attack = async (): Promise<NeighboursResult> => {
    const failures = await Promise.all([
      ...providers.map((server, i) => besiegeProvider(field, server, ATTACKS[i]?.[0] ?? "")),
      ...receivers.map((server, i) => besiegeReceiver(field, server, ATTACKS[i]?.[0] ?? "")),
    ]);
    const servers = [...providers, ...receivers];
    const reused = servers.reduce((sum, { requests, connections }) => sum + requests.length - connections, 0);
    // Else nothing was put to the test.
    const vain = reused > 0 ? [] : ["No connection to a bad neighbour was used twice."];
    return {
      attacks: servers.length,
      victims: servers.length * VICTIMS,
      reused,
      failures: [...failures.flat(), ...vain],
    };
  };
  return { origins: providers.map(({ origin }) => origin), attack };
}

/** One after the other, so that each finds the connection of the one before. */
async function besiegeProvider(field: Field, { origin }: RawServer, name: string): Promise<string[]> {
  const failures: string[] = [];
  for (let i = 0; i <= VICTIMS; i++) {
    const id = String(field.newId());
    const jobId = await field.register({
      fetch_url: `${origin}/api/v3/fetch/${id}`,
      callback_url: field.receiver.hookUrl(id),
      key: `key-of-victim-${id}`,
      eta: 1,
    });
    const [delivery] = await field.receiver.waitForCount(`/hook/${id}`, 1, LIMIT_MS).catch(() => []);
    // The first one may get nothing usable of its own, and ask again.
    if (!delivery?.body.includes(`"provider":${own(id)},`))
      failures.push(`Job ${jobId}, request ${i} beside an answer ${name}, was told ${delivery?.body}.`);
  }
  return failures;
}

async function besiegeReceiver(field: Field, { origin }: RawServer, name: string): Promise<string[]> {
  const failures: string[] = [];
  for (let i = 0; i <= VICTIMS; i++) {
    const id = field.newId();
    const callback_url = `${origin}/hook/${id}`;
    const response = { status: "success", id, output: ["a"] };
    const jobId = await field.register({ endpoint: "v3", response, callback_url });
    const job = await field.over(jobId, LIMIT_MS);
    if (job.status !== "delivered")
      failures.push(`Job ${jobId}, delivery ${i} beside an answer ${name}, is ${job.status}.`);
  }
  return failures;
}
