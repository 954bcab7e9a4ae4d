/**
 * What must not be reached: a server on every address of the loopback that there is, which counts connections, whatever
 * comes of them, and answers everybody with a success.
 */
import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import { freePort } from "../../demo/process-group.ts";

/** The last is one that only those listen at who mean it. */
const ADDRESSES = ["127.0.0.1", "::1", "127.9.8.7"];
const ANSWER = JSON.stringify({ status: "success", id: 1, output: ["https://example.com/a.png"] });
const REACH_LIMIT_MS = 5_000;

export class Trap {
  readonly port: number;
  readonly #servers: readonly Server[];
  #connections = 0;

  private constructor(port: number, servers: readonly Server[]) {
    this.port = port;
    this.#servers = servers;
    for (const server of servers) server.on("connection", () => this.#connections++);
  }

  /** Rejects when not even 127.0.0.1 can be listened at. */
  static async open(): Promise<Trap> {
    const port = await freePort();
    const listening = await Promise.allSettled(ADDRESSES.map((address) => listenAt(address, port)));
    const [first] = listening;
    if (first?.status === "rejected") throw first.reason;
    return new Trap(
      port,
      listening.flatMap((one) => (one.status === "fulfilled" ? [one.value] : [])),
    );
  }

  /** How often it was reached since it was opened, or forgot. */
  get connections(): number {
    return this.#connections;
  }

  forget(): void {
    this.#connections = 0;
  }

  /** Whether a process of this machine gets there by that host; what is found out is forgotten. */
  async isReachedBy(host: string): Promise<boolean> {
    const socket = connect({
      host: host.replace(/^\[(.*)\]$/, "$1"),
      port: this.port,
      timeout: REACH_LIMIT_MS,
    });
    const isReached = await new Promise<boolean>((resolve) => {
      socket.on("connect", () => resolve(true));
      for (const end of ["error", "timeout"]) socket.on(end, () => resolve(false));
    });
    socket.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    return isReached;
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#servers.map(
        (server) =>
          new Promise((resolve) => {
            server.close(resolve);
            server.closeAllConnections();
          }),
      ),
    );
  }
}

function listenAt(address: string, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume();
    response.setHeader("content-type", "application/json").end(ANSWER);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, () => resolve(server));
  });
}
