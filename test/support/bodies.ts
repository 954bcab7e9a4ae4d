/**
 * Response bodies that behave in a given way, and tell whether their reader let go of them.
 */

export interface WatchedBody {
  readonly stream: ReadableStream<Uint8Array>;
  /** Whether the reader cancelled it. */
  readonly cancelled: () => boolean;
  /** Bytes handed out so far. */
  readonly handedOut: () => number;
}

type Chunk = Uint8Array | "end" | "error" | "hang";

/** Hands out what `next(index)` says, one chunk a read, on demand. */
export function watchedBody(next: (index: number) => Chunk | Promise<Chunk>): WatchedBody {
  let cancelled = false;
  let handedOut = 0;
  let index = 0;
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = await next(index++);
        if (cancelled) return;
        if (chunk === "end") controller.close();
        else if (chunk === "error") controller.error(new Error("connection lost"));
        else if (chunk === "hang") await new Promise(() => {});
        else {
          handedOut += chunk.length;
          controller.enqueue(chunk);
        }
      },
      cancel() {
        cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, cancelled: () => cancelled, handedOut: () => handedOut };
}

const encoder = new TextEncoder();

/** The texts one after another, then whatever `last` says. */
export function texts(chunks: readonly string[], last: "end" | "error" | "hang" = "end"): WatchedBody {
  return watchedBody((index) => {
    const chunk = chunks[index];
    return chunk === undefined ? last : encoder.encode(chunk);
  });
}

/** `chunkBytes` at a time, `total` in all. */
export function filled(total: number, chunkBytes = 65_536): WatchedBody {
  return watchedBody((index) => {
    const left = total - index * chunkBytes;
    return left <= 0 ? "end" : new Uint8Array(Math.min(left, chunkBytes)).fill(0x61);
  });
}
