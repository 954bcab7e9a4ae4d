/**
 * What a bad peer does on a connection, as data, and how it is done on a socket: byte for byte, with nothing between
 * that would put it right. A performance ends when the other side goes away.
 */
import { once } from "node:events";
import type { Socket } from "node:net";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";

export type Step =
  /** Text is sent as UTF-8. */
  | { readonly send: string | Uint8Array }
  /** The same again and again, no faster than it is read, and with pauses between where they are given. */
  | { readonly repeat: string | Uint8Array; readonly times: number; readonly everyMs?: number }
  /** One byte at a time. */
  | { readonly drip: string; readonly everyMs: number }
  | { readonly waitMs: number }
  /** `half`: nothing more is sent, and all is read; `reset`: RST. */
  | { readonly close: "end" | "half" | "reset" };

/** Behind the last step the connection stays open. */
export type Script = readonly Step[];

/** Never rejects. */
export async function perform(socket: Socket, script: Script): Promise<void> {
  try {
    for (const step of script) {
      if (socket.destroyed) return;
      await performStep(socket, step);
    }
  } catch {
    // The other side has gone.
  }
}

async function performStep(socket: Socket, step: Step): Promise<void> {
  if ("send" in step) return write(socket, step.send);
  if ("waitMs" in step) {
    await sleep(step.waitMs, undefined, { ref: false });
    return;
  }
  if ("repeat" in step) {
    const bytes = Buffer.from(step.repeat);
    for (let i = 0; i < step.times && !socket.destroyed; i++) {
      await write(socket, bytes);
      // Others are served by the same process.
      await (step.everyMs === undefined ? setImmediate() : sleep(step.everyMs, undefined, { ref: false }));
    }
    return;
  }
  if ("drip" in step) {
    for (const byte of Buffer.from(step.drip)) {
      if (socket.destroyed) return;
      await write(socket, Uint8Array.of(byte));
      await sleep(step.everyMs, undefined, { ref: false });
    }
    return;
  }
  if (step.close === "reset") socket.resetAndDestroy();
  else if (step.close === "half") socket.end();
  else await new Promise<void>((resolve) => socket.end(() => resolve(void socket.destroySoon())));
}

async function write(socket: Socket, bytes: string | Uint8Array): Promise<void> {
  if (socket.write(bytes)) return;
  const gone = new AbortController();
  const onClose = () => gone.abort();
  socket.once("close", onClose);
  try {
    await once(socket, "drain", { signal: gone.signal });
  } finally {
    socket.off("close", onClose);
  }
}
