/**
 * Bytes too large for one row of an object's storage, kept as several. Synchronous, so that they are committed together
 * with whatever names them.
 */

type Kv = DurableObjectStorage["kv"];

/** A row holds 2 MB at most. */
export const CHUNK_BYTES = 1024 * 1024;

/** Stores `bytes` under `prefix` and answers how many rows that took. */
export function writeChunks(kv: Kv, prefix: string, bytes: Uint8Array): number {
  const count = Math.ceil(bytes.length / CHUNK_BYTES);
  // A view is stored with the whole buffer behind it: `slice` keeps just its part.
  for (let i = 0; i < count; i++) kv.put(prefix + i, bytes.slice(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES));
  return count;
}

/** What {@link writeChunks} stored, `size` bytes in all; `null` when a part of it is missing. */
export function readChunks(kv: Kv, prefix: string, size: number): Uint8Array | null {
  const bytes = new Uint8Array(size);
  for (let i = 0; i * CHUNK_BYTES < size; i++) {
    const chunk = kv.get<Uint8Array>(prefix + i);
    if (!chunk) return null;
    bytes.set(chunk, i * CHUNK_BYTES);
  }
  return bytes;
}

/** Removes the rows from number `from` up to, not including, `to`. */
export function dropChunks(kv: Kv, prefix: string, from: number, to: number): void {
  for (let i = from; i < to; i++) kv.delete(prefix + i);
}
