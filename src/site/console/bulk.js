/**
 * Redelivers or cancels many jobs: how many is said first.
 */
import { call, Refusal, strange, token } from "./api.js";
import { h } from "./dom.js";
import { canCancel, canRedeliver } from "./job-rows.js";
import { confirm } from "./ui.js";
import { counted, number } from "./words.js";
import { begin, end, follow, tell, WORDS } from "./works.js";

/** Calls under way at one time, for jobs that were picked by hand. */
const PARALLEL = 6;
const RATE_LIMIT_MS = 5_000;
const RATE_LIMIT_TRIES = 5;

/** @typedef {import("./works.js").Kind} Kind */

const jobs = (/** @type {number} */ n) => counted(n, "job");

/**
 * Asks, and then does it to each of these. Whether it was begun.
 *
 * @param {Kind} kind
 * @param {readonly import("./job-rows.js").Job[]} picked
 */
export async function startPicked(kind, picked) {
  const able = picked.filter(kind === "redeliver" ? canRedeliver : canCancel);
  if (!(await isMeant(kind, able.length, leftOf(kind, able.length, picked.length)))) return false;
  const work = begin(kind, able.length, null);
  const queue = [...able];
  const used = token.get();
  const hand = async () => {
    for (let job = queue.shift(); job && token.get() === used; job = queue.shift()) {
      try {
        await patiently(() => call("POST", `/v1/jobs/${job?.id}/${kind}`));
      } catch (error) {
        work.failed++;
        work.why ??= error instanceof Error ? error.message : String(error);
      }
      work.done++;
      tell();
    }
  };
  void Promise.all(Array.from({ length: PARALLEL }, hand)).then(() => end(work));
  return true;
}

/**
 * The same of all jobs that fit, which Pollhook goes through by itself.
 *
 * @param {Kind} kind
 * @param {URLSearchParams} query
 */
export async function startAll(kind, query) {
  // What is registered from now on is none of those that are counted here.
  const filter = { created_before: new Date().toISOString(), ...Object.fromEntries(query) };
  const count = async (/** @type {Record<string, string>} */ more) => {
    const body = { filter: { ...filter, ...more }, dry_run: true };
    const answer = await call("POST", `/v1/jobs/${kind}`, { body });
    if (typeof answer?.count !== "number") throw strange();
    return /** @type {number} */ (answer.count);
  };
  const given = query.get("status");
  const statuses = WORDS[kind].able.filter((status) => given === null || status === given);
  const [all = 0, ...counts] = await Promise.all([count({}), ...statuses.map((status) => count({ status }))]);
  const able = Math.min(
    all,
    counts.reduce((sum, n) => sum + n, 0),
  );
  const words = [...query].map(([name, value]) => `${name}: ${value}`).join(", ");
  const which = words ? `All that fit ${words}.` : "All jobs there are.";
  if (!(await isMeant(kind, able, [which, leftOf(kind, able, all)].filter(Boolean).join(" ")))) return false;
  const { operation } = (await call("POST", `/v1/jobs/${kind}`, { body: { filter } })) ?? {};
  if (typeof operation?.id !== "string") throw strange();
  void follow(begin(kind, operation.total, operation.id), operation);
  return true;
}

/** @param {Kind} kind @param {number} able @param {number} all */
const leftOf = (kind, able, all) =>
  able < all && `Left as they are: ${number(all - able)} of the ${jobs(all)}, ${WORDS[kind].why}.`;

/** @param {Kind} kind @param {number} count @param {string | false} more */
function isMeant(kind, count, more) {
  const { verb } = WORDS[kind];
  if (count === 0) {
    const detail = [`There is no job to ${kind}.`, more || ""].join(" ");
    document.dispatchEvent(new CustomEvent("say", { detail }));
    return Promise.resolve(false);
  }
  return confirm(`${verb} ${jobs(count)}?`, `${verb} ${number(count)}`, more && h("p", {}, more));
}

/** Once more, and again, while the token calls too often. @param {() => Promise<unknown>} act */
async function patiently(act) {
  for (let tries = 1; ; tries++)
    try {
      return await act();
    } catch (error) {
      const isLimit = error instanceof Refusal && error.status === 429;
      if (!isLimit || tries === RATE_LIMIT_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, RATE_LIMIT_MS));
    }
}
