/**
 * What a route answers when nothing is wrong: one JSON value on a line. Nobody may keep it: it is the state of a
 * moment, and at times a secret.
 */

/** JSON that is written already. */
export const jsonText = (
  text: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Response =>
  new Response(text, {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
  });

/** Members that are `undefined` are left out. */
export const jsonResponse = (body: object, status = 200): Response =>
  jsonText(`${JSON.stringify(body)}\n`, status);
