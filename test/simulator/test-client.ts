/**
 * What the simulator's own tests ask with: JSON over fetch, and a bare socket for what fetch hides (bytes
 * that trickle, connections cut short, a client that does not read).
 */
import { connect, type Socket } from "node:net";

export interface Reply {
  status: number;
  type: string | null;
  text: string;
  /** The text as JSON; `undefined` when it is none. */
  json: unknown;
}

/** POSTs a body (an object as JSON, a string as it is) and reads the answer whole. Follows no redirects. */
export async function post(
  url: string,
  body: object | string,
  headers: Record<string, string> = { "content-type": "application/json" },
): Promise<Reply> {
  return read(await postUnread(url, body, headers));
}

/** The same, without reading the body. */
export function postUnread(
  url: string,
  body: object | string,
  headers: Record<string, string> = { "content-type": "application/json" },
): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(url, { method: "POST", headers, body: text, redirect: "manual" });
}

/** A request without a body. */
export async function ask(url: string, method = "GET"): Promise<Reply> {
  return read(await fetch(url, { method, redirect: "manual" }));
}

async function read(response: Response): Promise<Reply> {
  const text = await response.text();
  return { status: response.status, type: response.headers.get("content-type"), text, json: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Sends a POST over a bare socket, which is not read until someone listens. */
export function rawPost(origin: string, path: string, body: string): Socket {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname).pause();
  const head = `POST ${path} HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\n`;
  socket.write(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  return socket;
}

/** Everything a socket receives until the other side ends it. */
export function readToEnd(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk.toString();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(received));
    socket.resume();
  });
}

/** Asks every few milliseconds until it is so; the test's own time limit is the bound. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}
