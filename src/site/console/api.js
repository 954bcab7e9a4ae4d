/**
 * Calls the API with the token of who is signed in. The token is kept by this tab alone, and goes out in a header.
 */

const TOKEN_KEY = "pollhook-token";

/** An answer that refuses, or none at all (`status` 0). */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {{ code?: string, detail?: string, field?: string }} problem
   */
  constructor(status, { code = "unreachable", detail = "Pollhook cannot be reached.", field }) {
    super(detail);
    this.status = status;
    this.code = code;
    /** The field at fault, where there is one. */
    this.field = field ?? null;
  }
}

/** Something has answered, and not as Pollhook does. @param {number} [status] */
export const strange = (status = 200) =>
  new Refusal(status, {
    code: "not_pollhook",
    detail: `What answered (${status}) is not Pollhook: a proxy, or another server at its address.`,
  });

export const token = {
  /** @returns {string | null} */
  get: () => sessionStorage.getItem(TOKEN_KEY),
  /** @param {string} text */
  set: (text) => sessionStorage.setItem(TOKEN_KEY, text),
  clear: () => sessionStorage.removeItem(TOKEN_KEY),
};

/** Less is the time that an answer takes, and that its header tells no parts of a second. */
const LEAST_SKEW_MS = 3_000;
let skewMs = 0;

/** Epoch ms by Pollhook's clock: the browser's own may be wrong. */
export const now = () => Date.now() + skewMs;

/** What is done once a token is refused. */
export const session = {
  /** @param {string} _why */
  onEnd: (_why) => {},
};

/**
 * What a bounded token is bound to: a destination or origins, endpoints, a request.
 *
 * @typedef {{ dst?: string, org?: string[], ep?: string[], req?: string, ddl?: number }} Bounds
 */

/**
 * What the token says of itself; `null` for what is none.
 *
 * @param {string} text
 * @returns {{ sub: string, scope: string, exp: number, own?: string, bnd?: Bounds } | null}
 */
export function claimsOf(text) {
  try {
    const [, payload = ""] = text.split(".");
    const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (c) =>
      c.charCodeAt(0),
    );
    const claims = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims?.sub === "string" && typeof claims.scope === "string" ? claims : null;
  } catch {
    return null;
  }
}

/** What the token of who is signed in says of itself. */
export const claims = () => claimsOf(token.get() ?? "");

/**
 * Whether who is signed in has that scope.
 *
 * @param {string} scope
 */
export const may = (scope) => (claims()?.scope ?? "").split(" ").includes(scope);

/** The same, for what is closed to a bounded token whatever its scope. */
export const mayUnbounded = (/** @type {string} */ scope) => may(scope) && claims()?.own === undefined;

/**
 * One call; the answer's JSON, an object, or `null` where it has none. Throws a {@link Refusal}, and the signal's reason.
 *
 * @param {string} method
 * @param {string} path
 * @param {object} [options]
 * @param {unknown} [options.body]
 * @param {AbortSignal} [options.signal]
 * @param {boolean} [options.raw] The body is JSON text already.
 * @param {(status: number) => void} [options.onStatus]
 * @returns {Promise<any>}
 */
export async function call(method, path, { body, signal, raw = false, onStatus } = {}) {
  const response = await send(path, {
    method,
    signal: signal ?? null,
    ...(body !== undefined && { body: raw ? String(body) : JSON.stringify(body) }),
  });
  onStatus?.(response.status);
  const text = await response.text().catch((error) => {
    if (signal?.aborted) throw error;
    throw new Refusal(0, {});
  });
  if (text === "" && method !== "GET") return null;
  const answer = objectIn(text);
  if (answer === null) throw strange(response.status);
  return answer;
}

/** @param {string} text */
function objectIn(text) {
  try {
    const json = parseJson(text);
    return typeof json === "object" && !Array.isArray(json) ? json : null;
  } catch {
    return null;
  }
}

/**
 * Parses JSON. Integers that a number would round stay as they came: as what `JSON.stringify` writes back unchanged.
 *
 * @param {string} text
 */
export const parseJson = (text) =>
  JSON.parse(text, (_, value, /** @type {{ source: string } | undefined} */ context = undefined) =>
    Number.isInteger(value) && !Number.isSafeInteger(value) && context && "rawJSON" in JSON
      ? /** @type {any} */ (JSON).rawJSON(context.source)
      : value,
  );

/**
 * The events of a stream, until it ends; a comment is one without a type. Throws a {@link Refusal}, and the signal's
 * reason.
 *
 * @param {string} path
 * @param {AbortSignal} signal
 * @param {string} [lastId]
 * @returns {AsyncGenerator<{ id: string, type: string, data: any }>}
 */
export async function* stream(path, signal, lastId) {
  const response = await send(path, { method: "GET", signal }, lastId ? { "last-event-id": lastId } : {});
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value = "" } = await reader.read();
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s).slice(0, 2)));
      yield { id: fields.id ?? "", type: fields.event ?? "", data: JSON.parse(fields.data ?? "null") };
    }
    if (done) return;
  }
}

/**
 * @param {string} path
 * @param {RequestInit} init
 * @param {Record<string, string>} [headers]
 */
async function send(path, init, headers = {}) {
  const used = token.get();
  const response = await fetch(path, {
    ...init,
    headers: {
      authorization: `Bearer ${used ?? ""}`,
      ...(init.body && { "content-type": "application/json" }),
      ...headers,
    },
  }).catch((error) => {
    if (init.signal?.aborted) throw error;
    throw new Refusal(0, {});
  });
  const skew = Date.parse(response.headers.get("date") ?? "") - Date.now();
  if (Math.abs(skew - skewMs) > LEAST_SKEW_MS) skewMs = Math.abs(skew) > LEAST_SKEW_MS ? skew : 0;
  if (response.ok) return response;
  const refusal = refusalIn(response.status, objectIn(await response.text().catch(() => "")));
  // A late refusal of an earlier token says nothing of this one.
  if (response.status === 401 && token.get() === used) session.onEnd(refusal.message);
  throw refusal;
}

/** @param {number} status @param {any} problem What came with it. */
function refusalIn(status, problem) {
  const { code, detail, field } = problem ?? {};
  if (typeof detail !== "string")
    return new Refusal(status, { code: "http_error", detail: `Pollhook answered ${status}.` });
  return new Refusal(status, {
    code: String(code),
    detail,
    ...(typeof field === "string" && { field }),
  });
}
