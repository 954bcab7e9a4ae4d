/**
 * A job's event as its callback receives it: headers, body, and a line that sends it again from a shell.
 */
import { call, parseJson } from "./api.js";
import { h, replace } from "./dom.js";
import { faultOf } from "./fault.js";
import { button, copyButton, preOf } from "./ui.js";
import { clock } from "./words.js";

/** An argument of a command may have 128 KiB. */
const MOST_IN_LINE_CHARS = 50_000;

/**
 * @param {string} id
 * @param {() => string | null} callbackUrl
 */
export function jobEvent(id, callbackUrl) {
  const content = h("div", { "aria-live": "polite" });
  const element = h(
    "details",
    { class: "card", ontoggle: () => element.open && content.childElementCount === 0 && load() },
    h("summary", {}, h("h2", {}, "Event")),
    content,
  );

  async function load() {
    replace(content, h("p", { class: "muted" }, "Loading…"));
    try {
      const { headers, body } = await call("GET", `/v1/jobs/${encodeURIComponent(id)}/event`);
      replace(content, ...shown(headers, body));
    } catch (error) {
      replace(content, h("p", { class: "problem" }, faultOf(error)), again("Try again"));
    }
  }

  /** @param {string} label */
  const again = (label) => button(label, load, { class: "small" });

  /** @param {Record<string, string>} headers @param {string} body */
  function shown(headers, body) {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const signedAt = Number(headers["webhook-timestamp"]) * 1_000;
    return [
      h(
        "p",
        { class: "hint" },
        `As its callback receives it, but for a destination's own headers. Signed at ${clock(new Date(signedAt).toISOString())}: receivers take that for about 5 minutes. `,
        again("Sign anew"),
      ),
      head("Headers", () => lines.join("\n")),
      preOf("Headers", lines.join("\n")),
      head("Body", () => body, "the exact bytes, which are signed"),
      preOf("Body", parseJson(body)),
      head("Send it from a shell", () => curlOf(callbackUrl(), headers, body)),
      preOf("Command line", cut(curlOf(callbackUrl(), headers, body))),
    ];
  }

  /** @param {string} title @param {() => string} copied @param {string} [hint] */
  const head = (title, copied, hint) =>
    h(
      "div",
      { class: "row" },
      h("h3", {}, title),
      copyButton(`Copy: ${title.toLowerCase()}`, copied),
      hint ? h("span", { class: "muted" }, hint) : null,
    );

  return { element, forget: () => !element.open && replace(content) };
}

/** @param {string} text */
const cut = (text) => (text.length > 4_000 ? `${text.slice(0, 4_000)}…` : text);

/**
 * @param {string | null} url A destination's is not told with its jobs.
 * @param {Record<string, string>} headers
 * @param {string} body
 */
function curlOf(url, headers, body) {
  const isLong = body.length > MOST_IN_LINE_CHARS;
  const data = isLong ? "@event.json" : body;
  return [
    isLong ? "# First save the body, as it is copied above, as event.json.\n" : "",
    `curl -X POST ${url === null ? '"$CALLBACK_URL"' : quoted(url)}`,
    ...Object.entries(headers).map(([name, value]) => ` \\\n  -H ${quoted(`${name}: ${value}`)}`),
    ` \\\n  --data-binary ${quoted(data)}`,
  ].join("");
}

/** For a POSIX shell, in which nothing inside single quotes means anything. @param {string} text */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
