/**
 * Pure: which call of the provider's API a path is, and where each fetch endpoint takes the id.
 * The odd ones are listed; every other endpoint takes the id in the path, as the provider's pages show.
 */

/** What may be asked of the provider under one path, or nothing it knows. */
export type Route =
  | { kind: "fetch"; endpoint: string; pathId: string | null }
  | { kind: "generate"; path: string }
  | { kind: "unknown" };

const FETCH = /^\/api\/(v\d+(?:\/[\w-]+)*?)\/fetch(?:\/([^/]+))?\/?$/;
const GENERATE = /^\/api\/((?:v[3-7]|v1\/enterprise)(?:\/[\w-]+)+)\/?$/;

/** The field of the body that carries the id; `path` says whether the path may carry it as well. */
const ID_IN_BODY: ReadonlyMap<string, { field: "request_id" | "id"; path: boolean }> = new Map([
  ["v1/enterprise", { field: "request_id", path: false }],
  ["v4/dreambooth", { field: "request_id", path: false }],
  ["v6/images", { field: "request_id", path: true }],
  ["v1/enterprise/faceswap", { field: "id", path: false }],
]);

export function route(path: string): Route {
  const fetch = FETCH.exec(path);
  if (fetch?.[1] !== undefined) return { kind: "fetch", endpoint: fetch[1], pathId: fetch[2] ?? null };
  const generation = GENERATE.exec(path);
  return generation?.[1] === undefined ? { kind: "unknown" } : { kind: "generate", path: generation[1] };
}

/**
 * The id that a fetch asks for, or `null` when it is not where this endpoint reads it. An id in the body
 * beside one in the path is ignored, as clients that send both live well with it.
 */
export function askedId(
  endpoint: string,
  pathId: string | null,
  body: Record<string, unknown>,
): string | null {
  const inBody = ID_IN_BODY.get(endpoint);
  if (inBody === undefined) return pathId;
  if (pathId !== null) return inBody.path ? pathId : null;
  const value = body[inBody.field];
  return typeof value === "string" || typeof value === "number" ? String(value) : null;
}

/**
 * The endpoint that a generation's `fetch_result` names. It need not share the version of the path that
 * generated: v4/dreambooth answers with v3/dreambooth, v5/controlnet with v3.
 */
export function fetchEndpoint(generationPath: string): string {
  const [version = "", family = "", ...rest] = generationPath.split("/");
  if (version === "v1") return rest.length >= 2 ? `v1/enterprise/${rest[0]}` : "v1/enterprise";
  if (family === "dreambooth" && (version === "v3" || version === "v4")) return "v3/dreambooth";
  if (version === "v3" || (version === "v5" && rest.length === 0)) return "v3";
  return `${version}/${family}`;
}

/** Where a request is fetched, absolute; without the id where it goes in the body only. */
export function fetchUrl(origin: string, endpoint: string, id: string): string {
  const idInPath = ID_IN_BODY.get(endpoint)?.path ?? true;
  return `${origin}/api/${endpoint}/fetch${idInPath ? `/${id}` : ""}`;
}
