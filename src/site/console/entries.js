/**
 * The entries of a timeline in words, and what they look like on the axis. Pure.
 */
import { duration } from "./words.js";

/** @typedef {import("../../client/types.ts").TimelineEntry} TimelineEntry */

/** @param {TimelineEntry} entry */
export const nameOf = ({ type }) => type.charAt(0).toUpperCase() + type.slice(1).replaceAll("_", " ");

/** Of the axis: 0 is the job's own, then polls, then delivery. @param {TimelineEntry} entry */
export const laneOf = ({ type }) =>
  /^(poll|held|hint)$/.test(type) ? 1 : /^(attempt|parked|postponed)$/.test(type) ? 2 : 0;

/** @param {TimelineEntry} entry @returns {"good" | "bad" | "wait" | "off" | "busy"} */
export function toneOf({ type, result = type }) {
  if (/^(succeeded|delivered)$/.test(result)) return "good";
  if (/^(failed|gone|refused|crash|cancel)$/.test(result)) return "bad";
  if (result === "pending") return "off";
  return /^(registered|callback_set|redeliver|hint)$/.test(result) ? "busy" : "wait";
}

/** `failed: http_error` @param {TimelineEntry} entry */
export const resultOf = ({ result, reason }) => [result, reason].filter(Boolean).join(": ");

/** What is shown of an entry beside its name and its result. @param {TimelineEntry} entry @param {number} from Epoch ms. */
export const factsOf = ({ at, http_status: status, duration_ms: took }, from) => ({
  after: `+${exact(Math.max(0, Date.parse(at) - from))}`,
  http: status === undefined ? "" : (status ?? "no answer"),
  took: took === undefined ? "" : duration(took),
});

/** `Poll, pending, HTTP 200, 41 ms, +2 s` @param {TimelineEntry} entry @param {number} from Epoch ms. */
export function sentenceOf(entry, from) {
  const { after, http, took } = factsOf(entry, from);
  const status = typeof http === "number" ? `HTTP ${http}` : http;
  return [nameOf(entry), resultOf(entry), status, took, after].filter(Boolean).join(", ");
}

/** Different for each entry of a job. @param {TimelineEntry} entry @param {number} index @param {readonly TimelineEntry[]} all */
export const keyOf = ({ at, type }, index, all) =>
  `${at} ${type} ${all.slice(0, index).filter((other) => other.at === at && other.type === type).length}`;

/** Up to a minute with its tenths: `0 s`, `25.8 s`, `1 min 30 s`. @param {number} ms */
export const exact = (ms) =>
  ms > 0 && (ms < 1_000 || ms >= 60_000) ? duration(ms) : `${Math.round(ms / 100) / 10} s`;
