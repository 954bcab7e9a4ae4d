/**
 * The Worker for web pages of other origins (https://fetch.spec.whatwg.org, "CORS protocol"). Nothing is a cookie, so no
 * credentials are allowed either: a page sends its token itself.
 */

export interface Sharing {
  /** `*`, or the one origin that is answered. */
  readonly origin: string;
  readonly methods: string;
  /** Request headers that a page may set… */
  readonly headers: string;
  /** …and those of an answer that it may read. */
  readonly exposed: string;
  /** How long a browser need not ask again; Chromium takes 2 h at most. */
  readonly maxAgeSeconds: number;
}

/** The answer to a preflight, or else to the call itself, as a page of that origin may read it. */
export async function shared(
  { method }: Request,
  { origin, methods, headers, exposed, maxAgeSeconds }: Sharing,
  answer: () => Promise<Response>,
): Promise<Response> {
  const isPreflight = method === "OPTIONS";
  const response = isPreflight ? new Response(null, { status: 204 }) : await answer();
  const shares = {
    "access-control-allow-origin": origin,
    "access-control-expose-headers": exposed,
    ...(origin !== "*" && { vary: "Origin" }),
    ...(isPreflight && {
      "access-control-allow-methods": methods,
      "access-control-allow-headers": headers,
      "access-control-max-age": String(maxAgeSeconds),
    }),
  };
  for (const [name, value] of Object.entries(shares)) response.headers.set(name, value);
  return response;
}
