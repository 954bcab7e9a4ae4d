/**
 * A job's outputs: pictures and videos as what they are, also those that come as base64, everything else as a link or as
 * text. Nothing is loaded before it comes into view, and no host learns where it is shown.
 */
import { h } from "./dom.js";
import { outside, webUrl } from "./ui.js";

/** @typedef {{ kind: "image" | "video" | "link" | "text", src: string, said: string }} Output */

const MOST_SHOWN = 40;
const PICTURE = /\.(png|jpe?g|webp|gif|avif)$/i;
const VIDEO = /\.(mp4|webm|mov|m4v)$/i;
const DATA = /^data:((image|video)\/(png|jpeg|webp|gif|avif|mp4|webm|quicktime));base64,/i;
const BASE64 = /^[A-Za-z0-9+/\s]{32,}={0,2}\s*$/;
/** Of base64, what is looked at to tell what it is. */
const HEAD_CHARS = 64;

/**
 * @param {Readonly<Record<string, unknown>>} answer The provider's.
 * @returns {{ outputs: Output[], more: number }}
 */
export function outputsOf(answer) {
  const own = strings(answer.output);
  const texts = [...own, ...strings(answer.proxy_links)];
  return {
    outputs: texts.slice(0, MOST_SHOWN).map((text, i) => {
      const known = outputOf(text);
      // The same pictures again, from elsewhere.
      return i >= own.length && known.kind !== "text" ? { ...known, kind: "link" } : known;
    }),
    more: Math.max(0, texts.length - MOST_SHOWN),
  };
}

/** All that is in a value, whatever its shape, as text; none of a member that is missing or empty. @param {unknown} value @returns {string[]} */
const strings = (value) => (value === undefined || value === null || value === "" ? [] : leaves(value));

/** What is no text is listed as JSON writes it: it is there. @param {unknown} value @returns {string[]} */
function leaves(value) {
  if (typeof value === "string" && value !== "") return [value];
  return typeof value === "object" && value !== null
    ? Object.values(value).flatMap(leaves)
    : [JSON.stringify(value)];
}

/** @param {string} text @returns {Output} */
function outputOf(text) {
  const url = webUrl(text);
  if (url) {
    const kind = PICTURE.test(url.pathname) ? "image" : VIDEO.test(url.pathname) ? "video" : "link";
    // Over http it would not be let in; the link leads there.
    return { kind: url.protocol === "https:" ? kind : "link", src: url.href, said: text };
  }
  const type = DATA.exec(text)?.[1]?.toLowerCase() ?? sniffed(text);
  const said = text.length > 120 ? `${text.slice(0, 80)}… (${text.length} characters)` : text;
  if (!type) return { kind: "text", src: "", said };
  const base64 = text.slice(DATA.exec(text)?.[0].length ?? 0).replace(/\s/g, "");
  const kind = type.startsWith("video/") ? "video" : "image";
  return { kind, src: `data:${type};base64,${base64}`, said };
}

/**
 * What bare base64 is, by its first bytes.
 *
 * @param {string} text
 */
function sniffed(text) {
  const head = text.slice(0, HEAD_CHARS);
  if (!BASE64.test(text.length > HEAD_CHARS ? head : text)) return null;
  let bytes = "";
  try {
    bytes = atob(head.replace(/\s/g, "").slice(0, 32));
  } catch {
    return null;
  }
  if (bytes.startsWith("\x89PNG")) return "image/png";
  if (bytes.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (bytes.startsWith("GIF8")) return "image/gif";
  if (bytes.startsWith("RIFF") && bytes.slice(8, 12) === "WEBP") return "image/webp";
  if (bytes.startsWith("\x1aE\xdf\xa3")) return "video/webm";
  if (bytes.slice(4, 8) !== "ftyp") return null;
  return bytes.slice(8, 12) === "avif" ? "image/avif" : "video/mp4";
}

/** @param {Output} output @param {number} index */
export function outputItem({ kind, src, said }, index) {
  const link = src.startsWith("http") ? outside(src, said) : h("code", { class: "break" }, said);
  if (kind === "link" || kind === "text") return h("li", {}, link);
  const name = `Output ${index + 1}`;
  const onerror = () => medium.replaceWith(h("p", { class: "dead" }, src.startsWith("http") ? DEAD : BROKEN));
  const medium =
    kind === "image"
      ? h("img", { loading: "lazy", referrerpolicy: "no-referrer", alt: name, src, onerror })
      : h("video", { controls: true, preload: "metadata", "aria-label": name, src, onerror });
  return h("li", { class: "output" }, medium, h("p", { class: "hint" }, link));
}

const DEAD = "It could not be loaded. The provider deletes outputs after 24 hours.";
const BROKEN = "This cannot be shown: it is not what it says to be.";
