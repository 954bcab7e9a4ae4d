/**
 * Reads server-sent events (WHATWG HTML, 9.2.6 "Interpreting an event stream") from bytes that come in pieces, cut
 * anywhere: in a line, in a character, between a CR and its LF.
 */

/** More than any event has; what does not end is no event stream. */
const MAX_EVENT_CHARS = 1024 * 1024;

export interface SseMessage {
  /** The last id that was seen, also before this event; `""` for none. */
  readonly id: string;
  /** `message` where the stream names none. */
  readonly event: string;
  readonly data: string;
}

export class SseParser {
  /** How long the server wants a lost connection to stay lost; `null` while it has not said. */
  retryMs: number | null = null;
  readonly #decoder = new TextDecoder();
  #rest = "";
  #afterCr = false;
  #id: string;
  #event = "";
  #data: string[] = [];
  #chars = 0;

  /** `id` is what the stream was resumed from. */
  constructor(id = "") {
    this.#id = id;
  }

  /** The events that end within `bytes`. Throws a RangeError when one grows past a megabyte. */
  push(bytes: Uint8Array): SseMessage[] {
    let text = this.#decoder.decode(bytes, { stream: true });
    if (this.#afterCr && text.startsWith("\n")) text = text.slice(1);
    if (text !== "") this.#afterCr = text.endsWith("\r");
    const lines = text.split(/\r\n|\n|\r/);
    const rest = lines.pop() ?? "";
    const messages: SseMessage[] = [];
    for (const line of lines) {
      const whole = this.#rest + line;
      this.#rest = "";
      const message = this.#line(whole);
      if (message) messages.push(message);
    }
    this.#rest += rest;
    this.#checkSize();
    return messages;
  }

  #line(line: string): SseMessage | null {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    // A line that begins with a colon is a comment.
    if (colon === 0) return null;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    switch (name) {
      case "event":
        this.#event = value;
        break;
      case "data":
        this.#data.push(value);
        this.#chars += value.length;
        this.#checkSize();
        break;
      case "id":
        if (!value.includes("\0")) this.#id = value;
        break;
      case "retry":
        if (/^\d{1,9}$/.test(value)) this.retryMs = Number(value);
        break;
    }
    return null;
  }

  #dispatch(): SseMessage | null {
    const [event, data] = [this.#event, this.#data];
    this.#event = "";
    this.#data = [];
    this.#chars = 0;
    return data.length === 0 ? null : { id: this.#id, event: event || "message", data: data.join("\n") };
  }

  #checkSize(): void {
    if (this.#rest.length + this.#chars > MAX_EVENT_CHARS)
      throw new RangeError("An event of the stream is too large.");
  }
}
