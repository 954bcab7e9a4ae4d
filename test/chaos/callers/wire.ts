/**
 * HTTP/1.1 over a socket, written by hand: what is sent are bytes, good or bad, and what comes back is taken apart without a
 * library that would forgive anything.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface Answer {
  readonly status: number;
  /** Names in lower case, as they came. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Bytes as Latin-1: what is looked for is ASCII. */
  readonly body: string;
  /** A stream that was left before its end. */
  readonly isPart: boolean;
}

export type Exchange =
  | { readonly kind: "answered"; readonly answer: Answer; readonly isLast: boolean }
  | { readonly kind: "closed" | "timeout" | "malformed"; readonly text: string };

export const header = ({ headers }: Answer, name: string): string | undefined =>
  headers.find(([given]) => given === name)?.[1];

const HEAD_END = Buffer.from("\r\n\r\n");
/** A stream of events is left after so much, or so long. */
const STREAM_MS = 400;
const BODY_LIMIT_MS = 30_000;

export class Connection {
  readonly #socket: Socket;
  #chunks: Buffer[] = [];
  #isEnded = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#wake();
    });
    const end = () => {
      this.#isEnded = true;
      this.#wake();
    };
    socket.on("end", end);
    socket.on("close", end);
    socket.on("error", end);
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    await once(socket, "connect");
    return new Connection(socket);
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  send(bytes: Buffer | string): void {
    if (!this.#socket.destroyed && this.#socket.writable) this.#socket.write(bytes);
  }

  /** Says that nothing more will come. */
  finish(): void {
    if (!this.#socket.destroyed) this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /**
   * The next answer; those of the 100s are passed over. `method` says whether it has a body. It must begin within
   * `timeoutMs`; one that has begun is waited for longer.
   */
  async receive(method: string, timeoutMs: number): Promise<Exchange> {
    const until = Date.now() + timeoutMs;
    for (;;) {
      const head = await this.#until((bytes) => bytes.indexOf(HEAD_END), until);
      if (head === null) return { kind: this.#isEnded ? "closed" : "timeout", text: this.#seen() };
      const lines = this.#take(head + HEAD_END.length)
        .toString("latin1")
        .split("\r\n");
      const status = Number(/^HTTP\/1\.[01] (\d{3}) /.exec(lines[0] ?? "")?.[1] ?? 0);
      const headers = lines.slice(1, -2).map((line) => {
        const [name = "", ...value] = line.split(":");
        return [name.toLowerCase(), value.join(":").trim()] as const;
      });
      if (status === 0) return { kind: "malformed", text: lines.join("\n") };
      if (status >= 200)
        return this.#withBody({ status, headers }, method, Math.max(until, Date.now() + BODY_LIMIT_MS));
    }
  }

  /** Whatever came and was not taken, once there is nothing more for so long. */
  async rest(quietMs: number): Promise<string> {
    let seen = -1;
    while (!this.#isEnded && seen !== this.#size()) {
      seen = this.#size();
      await this.#change(Date.now() + quietMs);
    }
    return this.#seen();
  }

  async #withBody(
    { status, headers }: Pick<Answer, "status" | "headers">,
    method: string,
    until: number,
  ): Promise<Exchange> {
    const answer = (body: string, isPart = false): Exchange => ({
      kind: "answered",
      answer: { status, headers, body, isPart },
      isLast:
        isPart ||
        this.#isEnded ||
        headers.some(([name, value]) => name === "connection" && /close/i.test(value)),
    });
    const value = (name: string) => headers.find(([given]) => given === name)?.[1];
    if (method === "HEAD" || status === 204 || status === 304) return answer("");
    const isStream = value("content-type") === "text/event-stream";
    if (/chunked/i.test(value("transfer-encoding") ?? "")) {
      const parts: Buffer[] = [];
      const patience = isStream ? Math.min(until, Date.now() + STREAM_MS) : until;
      for (;;) {
        const line = await this.#until((bytes) => bytes.indexOf("\r\n"), patience);
        const whole = line === null ? null : Number.parseInt(this.#peek(line), 16);
        const end = line === null || whole === null ? null : line + 2 + whole + 2;
        const there =
          end === null ? null : await this.#until((bytes) => (bytes.length >= end ? end : -1), patience);
        if (line === null || whole === null || there === null) {
          const body = Buffer.concat(parts).toString("latin1");
          return isStream && !this.#isEnded
            ? answer(body, true)
            : { kind: this.#isEnded ? "closed" : "timeout", text: body };
        }
        parts.push(this.#take(there).subarray(line + 2, there - 2));
        if (whole === 0) return answer(Buffer.concat(parts).toString("latin1"));
      }
    }
    const length = value("content-length");
    if (length !== undefined) {
      const there = await this.#until(
        (bytes) => (bytes.length >= Number(length) ? Number(length) : -1),
        until,
      );
      if (there === null) return { kind: this.#isEnded ? "closed" : "timeout", text: this.#seen() };
      return answer(this.#take(there).toString("latin1"));
    }
    // To the end of the connection.
    while (!this.#isEnded && Date.now() < until) await this.#change(until);
    return answer(this.#take(this.#size()).toString("latin1"));
  }

  /** What `find` finds in what has come, once it does; `null` when the time is up or the connection has ended. */
  async #until(find: (bytes: Buffer) => number, until: number): Promise<number | null> {
    for (;;) {
      const found = find(this.#whole());
      if (found !== -1) return found;
      if (this.#isEnded || Date.now() >= until) return null;
      await this.#change(until);
    }
  }

  #change(until: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wake = () => {};
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, until - Date.now()));
      this.#wake = done;
      if (this.#isEnded) done();
    });
  }

  #whole(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  #take(length: number): Buffer {
    const whole = this.#whole();
    this.#chunks = [whole.subarray(length)];
    return whole.subarray(0, length);
  }

  #peek = (length: number): string => this.#whole().subarray(0, length).toString("latin1");
  #size = (): number => this.#whole().length;
  #seen = (): string => this.#whole().subarray(0, 4_000).toString("latin1");
}
