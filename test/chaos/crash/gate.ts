/**
 * What stands between Pollhook and a server, so that the server can be away without forgetting anything: open, it hands
 * all bytes on; refusing, nobody listens at its port; hanging, connections are taken and nothing ever comes back.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../demo/process-group.ts";

export type GateMode = "open" | "refusing" | "hanging";

/** Should somebody else have taken the port meanwhile, it is waited for. */
const LISTEN_TRIES = 100;
const LISTEN_AGAIN_MS = 200;

export class Gate {
  readonly origin: string;
  readonly #port: number;
  readonly #target: URL;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #mode: GateMode = "refusing";

  private constructor(port: number, target: string) {
    this.#port = port;
    this.origin = `http://127.0.0.1:${port}`;
    this.#target = new URL(target);
  }

  /** Open, in front of a server at that origin. */
  static async before(target: string): Promise<Gate> {
    const gate = new Gate(await freePort(), target);
    await gate.turn("open");
    return gate;
  }

  /** Ends every connection there is, and treats those that come from now on like that. */
  async turn(mode: GateMode): Promise<void> {
    this.#mode = mode;
    for (const socket of this.#sockets) socket.destroy();
    if (mode === "refusing") await this.#stopListening();
    else if (!this.#server) await this.#listen();
  }

  async #listen(): Promise<void> {
    for (let tried = 1; ; tried++) {
      const server = createServer((socket) => this.#take(socket));
      try {
        await new Promise<void>((resolve, reject) => {
          server.once("error", reject);
          server.listen(this.#port, "127.0.0.1", resolve);
        });
        this.#server = server;
        return;
      } catch (error) {
        if (tried === LISTEN_TRIES) throw error;
        await sleep(LISTEN_AGAIN_MS);
      }
    }
  }

  #take(socket: Socket): void {
    this.#keep(socket);
    if (this.#mode !== "open") return void socket.resume();
    const onward = this.#keep(connect(Number(this.#target.port), this.#target.hostname));
    socket.pipe(onward).pipe(socket);
    socket.once("close", () => onward.destroy());
    onward.once("close", () => socket.destroy());
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    // A connection that breaks is what this is for.
    socket.on("error", () => {});
    return socket.once("close", () => this.#sockets.delete(socket));
  }

  #stopListening(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    return new Promise((resolve) => {
      if (server) server.close(() => resolve());
      else resolve();
    });
  }
}
