/**
 * Redelivers or cancels many jobs: how many is said first, and how far it is until it is done. It goes on while other
 * views are looked at.
 */
import { call, Refusal, token } from "./api.js";
import { h, replace } from "./dom.js";
import { canCancel, canRedeliver } from "./job-rows.js";
import { button, confirm } from "./ui.js";
import { counted, number } from "./words.js";

/** Calls under way at one time, for jobs that were picked by hand. */
const PARALLEL = 6;
const LOOK_MS = 1_000;
const RATE_LIMIT_MS = 5_000;
const RATE_LIMIT_TRIES = 5;

/** @typedef {"redeliver" | "cancel"} Kind */
/** @typedef {{ text: string, total: number, done: number, failed: number, why: string | null, isOver: boolean }} Work */

const WORDS = {
  redeliver: { verb: "Redeliver", doing: "Redelivering", did: "Redelivered" },
  cancel: { verb: "Cancel", doing: "Canceling", did: "Canceled" },
};

/** @type {Work[]} */
let works = [];
const news = new EventTarget();
const tell = () => news.dispatchEvent(new Event("change"));
const jobs = (/** @type {number} */ n) => counted(n, "job");

/** Who signs in next has nothing to do with it. */
export function forgetWorks() {
  works = [];
  tell();
}

/**
 * Asks, and then does it to each of these. Whether it was begun.
 *
 * @param {Kind} kind
 * @param {readonly import("./job-rows.js").Job[]} picked
 */
export async function startPicked(kind, picked) {
  const able = picked.filter(kind === "redeliver" ? canRedeliver : canCancel);
  const others = picked.length - able.length;
  const why = kind === "redeliver" ? "nothing to deliver, or no callback" : "over already";
  const left = others > 0 && `Left as they are: ${number(others)} of the ${jobs(picked.length)}, ${why}.`;
  if (!(await isMeant(kind, able.length, left))) return false;
  const work = begin(kind, able.length);
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
  const { count } = await call("POST", `/v1/jobs/${kind}`, { body: { filter, dry_run: true } });
  const words = [...query].map(([name, value]) => `${name}: ${value}`).join(", ");
  if (!(await isMeant(kind, count, words ? `All that fit ${words}.` : "All jobs there are."))) return false;
  const { operation } = await call("POST", `/v1/jobs/${kind}`, { body: { filter } });
  const work = begin(kind, operation.total);
  void follow(work, operation);
  return true;
}

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

/** @param {Kind} kind @param {number} total @returns {Work} */
function begin(kind, total) {
  const { doing } = WORDS[kind];
  const work = { text: doing, total, done: 0, failed: 0, why: null, isOver: false };
  works = [...works, work];
  tell();
  return work;
}

/** @param {Work} work */
function end(work) {
  const word = Object.values(WORDS).find(({ doing }) => doing === work.text)?.did ?? work.text;
  work.text = word;
  work.isOver = true;
  tell();
}

/** @param {Work} work @param {{ id: string, status: string, done: number, failed: number }} operation */
async function follow(work, operation) {
  const used = token.get();
  for (let seen = operation; ; ) {
    Object.assign(work, { done: seen.done + seen.failed, failed: seen.failed });
    tell();
    if (seen.status === "done") return end(work);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    await untilVisible();
    if (token.get() !== used) return;
    try {
      ({ operation: seen } = await call("GET", `/v1/operations/${operation.id}`));
    } catch (error) {
      // It goes on, whether it can be seen or not.
      if (error instanceof Refusal && error.status >= 400 && error.status < 429) return end(work);
    }
  }
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

/** @returns {Promise<void>} */
const untilVisible = () =>
  new Promise((resolve) => {
    const look = () => {
      if (document.hidden) return;
      document.removeEventListener("visibilitychange", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    look();
  });

/**
 * What is under way, and what came of it until it is taken away.
 *
 * @param {AbortSignal} signal
 * @param {() => void} onOver Something of it has ended.
 */
export function workList(signal, onOver) {
  const element = h("div", { role: "group", "aria-label": "Under way" });
  /** @type {Map<Work, { element: HTMLElement, draw: () => void }>} */
  let lines = new Map();
  const draw = () => {
    lines = new Map(works.map((work) => [work, lines.get(work) ?? workLine(work, onOver)]));
    const now = [...lines.values()].map(({ element }) => element);
    if (now.length !== element.children.length || now.some((line) => !element.contains(line)))
      replace(element, now);
    for (const line of lines.values()) line.draw();
  };
  news.addEventListener("change", draw, { signal });
  draw();
  return element;
}

/** @param {Work} work @param {() => void} onOver */
function workLine(work, onOver) {
  const bar = h("progress", { "aria-label": work.text });
  // Heard once, when it is over.
  const over = h("p", { role: "status" });
  const now = h("p", { class: "muted" });
  const away = button(
    "Dismiss",
    async () => {
      works = works.filter((other) => other !== work);
      tell();
    },
    { class: "small" },
  );
  const element = h("div", { class: "job-work" }, now, bar, over);
  return {
    element,
    draw() {
      bar.max = Math.max(1, work.total);
      bar.value = work.done;
      const failed = work.failed > 0 ? `, ${number(work.failed)} refused` : "";
      if (!work.isOver)
        return replace(now, `${work.text} ${number(work.done)} of ${number(work.total)}${failed}`);
      if (over.hasChildNodes()) return;
      now.remove();
      bar.remove();
      const why = work.why ? `${failed}: ${work.why}` : failed;
      replace(over, `${work.text} ${number(work.done - work.failed)} of ${jobs(work.total)}${why}`);
      element.append(away);
      onOver();
    },
  };
}
