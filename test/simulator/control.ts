/**
 * The `/_sim` control routes: how tests in another runtime, or a person with curl, steer the servers.
 * Both servers describe theirs as a table of method and path; a body is checked before its route sees it.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Check, nothing } from "./checks.ts";
import { BODY_CAP_BYTES, readBody, sendJson } from "./wire.ts";

/** `null` answers 204; anything else is the JSON of a 200, or of a 201 for a POST. */
export interface ControlRoute {
  /** The shape of the body; absent where none is read. */
  check?: Check;
  run(body: unknown, query: URLSearchParams): unknown;
}

/** Routes by `METHOD /path`. */
export type ControlRoutes = Readonly<Record<string, ControlRoute>>;

/** Answers one control request; a bad one with 422 (or 404, 413) and the field at fault. */
export async function control(
  routes: ControlRoutes,
  request: IncomingMessage,
  response: ServerResponse,
  { path, search }: { path: string; search: string },
): Promise<void> {
  const refuse = (status: number, field: string, message: string) =>
    void sendJson(response, status, { error: { field, message } });

  const body = await readBody(request, BODY_CAP_BYTES);
  if (body.kind === "aborted") return;
  if (body.kind === "too-large") return refuse(413, "body", `must be ${BODY_CAP_BYTES} bytes or less`);
  const route = routes[`${request.method} ${path}`];
  if (route === undefined) return refuse(404, "path", `must be one of ${Object.keys(routes).join(", ")}`);

  let value: unknown = null;
  if (route.check !== undefined) {
    try {
      value = JSON.parse(body.bytes.toString());
    } catch {
      return refuse(422, "body", "must be JSON");
    }
  }
  const problem = (route.check ?? nothing)(value, "");
  if (problem !== null) return refuse(422, problem.field, problem.message);

  const result = route.run(value, new URLSearchParams(search));
  if (result === null) response.writeHead(204).end();
  else sendJson(response, request.method === "POST" ? 201 : 200, result);
}
