/**
 * The provider's fetch endpoints, as data: where each one takes the request's id. An endpoint is the path in
 * front of `/fetch`. Sources: the provider's documentation pages and OpenAPI files, and the code of its own
 * clients. Pure.
 */

/** Where the id goes: into the path, or into the body under this name. */
export type IdPlace = "path" | { readonly body: "request_id" | "id" };

const IN_BODY: IdPlace = { body: "request_id" };

/** Enterprise families, all under `v1/enterprise/` with the id in the path. */
const ENTERPRISE_FAMILIES = (
  "interior flux flux_klein flux_kontext_dev flux_headshot face_gen qwen realtime " +
  "image_editing images 3d video image_to_video_ultra text-to-video-ultra super-resolution " +
  "speech_to_text text_to_speech voice voice-cloning deepfake uncensored-chat nano_banana"
).split(" ");

/** Every documented endpoint. One that is not listed is accepted, with the id in the path. */
export const CATALOGUE: Readonly<Record<string, IdPlace>> = Object.assign(
  Object.create(null) as Record<string, IdPlace>,
  {
    v3: "path",
    "v3/dreambooth": "path",
    "v4/dreambooth": IN_BODY,
    "v5/images": "path",
    "v6/images": "path",
    "v6/realtime": "path",
    "v6/image_editing": "path",
    "v6/video": "path",
    "v6/voice": "path",
    "v6/3d": "path",
    "v6/interior": "path",
    "v6/faceswap": "path",
    "v6/deepfake": "path",
    "v6/fashion": "path",
    "v7/images": "path",
    "v7/video-fusion": "path",
    "v7/voice": "path",
    "v1/enterprise": IN_BODY,
    // Its OpenAPI file declares the body `{key, id}`; the page's prose, a path. The file is the stricter source.
    "v1/enterprise/faceswap": { body: "id" },
    ...Object.fromEntries(ENTERPRISE_FAMILIES.map((family) => [`v1/enterprise/${family}`, "path"])),
  } satisfies Record<string, IdPlace>,
);

const ENDPOINT = /^v\d{1,3}(\/[A-Za-z0-9_-]{1,64}){0,3}$/;
const REQUEST_ID = /^[A-Za-z0-9_-]{1,128}$/;

/** `v3`, `v1/enterprise/flux`: a version and up to three more segments, none of them `fetch`. */
export const isEndpoint = (text: string): boolean => ENDPOINT.test(text) && !/\/fetch(\/|$)/.test(text);

export const isRequestId = (text: string): boolean => REQUEST_ID.test(text);

export interface FetchCall {
  readonly url: string;
  readonly body: string;
}

/** The one request that asks `origin` for a request's state: always `POST`, JSON, the key in the body. */
export function fetchCall(origin: string, endpoint: string, requestId: string, key: string): FetchCall {
  const place = CATALOGUE[endpoint] ?? "path";
  const base = `${origin}/api/${endpoint}/fetch`;
  return place === "path"
    ? { url: `${base}/${requestId}`, body: JSON.stringify({ key }) }
    : { url: base, body: JSON.stringify({ key, [place.body]: requestId }) };
}

export interface FetchPath {
  readonly endpoint: string;
  /** `null` where the path carries none. */
  readonly requestId: string | null;
}

/** A fetch URL taken apart. */
export interface FetchUrl extends FetchPath {
  readonly origin: string;
}

export type FetchUrlProblem = "not_a_url" | "credentials" | "origin_not_listed" | "not_a_fetch_url";

/**
 * Reads `https://…/api/<endpoint>/fetch[/<id>]` as the provider writes it into `fetch_result`. Doubled slashes
 * are forgiven (legacy answers have them); query and fragment are dropped, the URL is only ever rebuilt from
 * its parts.
 */
export function parseFetchUrl(text: string, origins: readonly string[]): FetchUrl | FetchUrlProblem {
  const url = URL.parse(text);
  if (!url || (url.protocol !== "https:" && url.protocol !== "http:")) return "not_a_url";
  if (url.username || url.password) return "credentials";
  if (!origins.includes(url.origin)) return "origin_not_listed";
  const path = readFetchPath(url.pathname.replace(/\/{2,}/g, "/"));
  return path ? { origin: url.origin, ...path } : "not_a_fetch_url";
}

/** The path of a fetch URL; `null` for any other. */
export function readFetchPath(pathname: string): FetchPath | null {
  const match = /^\/api\/(.+)\/fetch(?:\/([^/]+))?\/?$/.exec(pathname);
  const endpoint = match?.[1];
  const requestId = match?.[2] ?? null;
  if (endpoint === undefined || !isEndpoint(endpoint)) return null;
  return requestId === null || isRequestId(requestId) ? { endpoint, requestId } : null;
}
