/**
 * A server that answers every request with bytes of the test's choosing, malformed ones too, and a trap beside it: another
 * port of the loopback, on which every connection counts, whatever it speaks.
 */
import { createServer, type Server, type Socket } from "node:net";

/** Which exchange a request belongs to stands in its path or its body. */
const MARK = /(callback|destination|ping|poll|ask|generate)-(\d+)/;
const HEAD_END = "\r\n\r\n";

export class Redirector {
  /** Each request's mark, in the order in which they came. */
  readonly marks: string[] = [];
  trapped = 0;
  readonly #server: Server;
  readonly #trap: Server;
  readonly #open = new Set<Socket>();
  /** The whole answer to a request with this mark; `target` is the request's own, to lead it back to itself. */
  #answerTo: (index: number, target: string) => string = () => "HTTP/1.1 404 Not Found\r\n\r\n";

  private constructor() {
    this.#server = createServer((socket) => this.#serve(this.#kept(socket)));
    this.#trap = createServer((socket) => {
      this.trapped++;
      this.#kept(socket);
      socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    });
  }

  static async start(): Promise<Redirector> {
    const made = new Redirector();
    await Promise.all([listening(made.#server), listening(made.#trap)]);
    return made;
  }

  get host(): string {
    return `127.0.0.1:${portOf(this.#server)}`;
  }

  get trapPort(): number {
    return portOf(this.#trap);
  }

  answerWith(answerTo: (index: number, target: string) => string): void {
    this.#answerTo = answerTo;
  }

  count(mark: string): number {
    return this.marks.filter((seen) => seen === mark).length;
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await Promise.all(
      [this.#server, this.#trap].map((server) => new Promise((resolve) => server.close(resolve))),
    );
  }

  /** To be ended with the server, whatever the peer does. */
  #kept(socket: Socket): Socket {
    this.#open.add(socket);
    socket.on("close", () => this.#open.delete(socket));
    socket.on("error", () => {});
    return socket;
  }

  #serve(socket: Socket): void {
    let text = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      text += chunk;
      for (let whole = wholeRequest(text); whole !== null; whole = wholeRequest(text)) {
        text = text.slice(whole.length);
        this.#answer(socket, whole);
      }
    });
  }

  #answer(socket: Socket, request: string): void {
    const [, target = ""] = request.split(" ", 2);
    const [mark = "unmarked", , index] = MARK.exec(target) ?? MARK.exec(request) ?? [];
    this.marks.push(mark);
    socket.write(this.#answerTo(Number(index), target), "latin1");
  }
}

/** The first request of what has come, when it has come to its end. */
function wholeRequest(text: string): string | null {
  const head = text.indexOf(HEAD_END);
  if (head === -1) return null;
  const [, length = "0"] = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head)) ?? [];
  const end = head + HEAD_END.length + Number(length);
  return text.length < end ? null : text.slice(0, end);
}

const listening = (server: Server): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no TCP address.");
  return address.port;
}
