/**
 * Where one is: the fragment of the URL, so that every view has an address, and none of it reaches the server. Pure.
 */

/**
 * @typedef {object} Route
 * @property {string} name The view: `jobs`, `register`, `destinations`, `stats`.
 * @property {string | null} id What of it: a job's id, a destination's name.
 * @property {URLSearchParams} query
 */

/**
 * @param {string} hash
 * @returns {Route}
 */
export function readRoute(hash) {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const [name = "", id = ""] = path.split("/");
  return { name: name || "jobs", id: id === "" ? null : decode(id), query: new URLSearchParams(query) };
}

/**
 * @param {string} name
 * @param {string | null} [id]
 * @param {Record<string, string> | URLSearchParams} [query] Empty values are left out.
 */
export function writeRoute(name, id = null, query = {}) {
  const pairs = [...new URLSearchParams(query)].filter(([, value]) => value !== "");
  const search = new URLSearchParams(pairs).toString();
  return `#/${name}${id === null ? "" : `/${encodeURIComponent(id)}`}${search && `?${search}`}`;
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
