/**
 * A caller of a node whose tokens may be anything that a header or a body can carry.
 */
import type { PollhookNode } from "../node.ts";
import type { Knocker } from "./doors.ts";

/** A connection that the server ends without an answer is answered with 0. */
export const knockerOf = (node: PollhookNode): Knocker => ({
  async knock(method, path, bearer, body) {
    const headers: Record<string, string> = { connection: "close" };
    if (bearer !== null) headers.authorization = `Bearer ${bearer}`;
    if (body) headers["content-type"] = "application/json";
    const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
    try {
      const response = await fetch(node.origin + path, init);
      const challenge = response.headers.get("www-authenticate");
      return { status: response.status, challenge, text: await response.text() };
    } catch (error) {
      return { status: 0, challenge: null, text: String(error) };
    }
  },
});
