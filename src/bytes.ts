/**
 * Joins pieces of a byte sequence. Pure.
 */

/** The first `size` bytes of the pieces, in a buffer of their own; all of them unless `size` is given. */
export function concatBytes(
  pieces: readonly Uint8Array[],
  size: number = pieces.reduce((sum, piece) => sum + piece.length, 0),
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const piece of pieces) {
    const part = piece.subarray(0, size - offset);
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
