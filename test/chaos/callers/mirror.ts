/**
 * A provider that says in its answer all that it was asked with, the key included: what it echoes must not get through to
 * anybody.
 */
import { type Listening, listen, readBody, send } from "../../simulator/wire.ts";

const MAX_BYTES = 1_000_000;

export const startMirror = (): Promise<Listening> =>
  listen(async (request, response) => {
    const body = await readBody(request, MAX_BYTES);
    const sent = body.kind === "whole" ? body.bytes.toString() : "";
    const said = {
      status: "success",
      id: 1,
      output: ["https://example.com/mirrored.png"],
      request: sent,
      meta: parsed(sent),
      headers: request.headers,
    };
    send(response, 200, { "content-type": "application/json" }, JSON.stringify(said));
  }, 0);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
