/**
 * What is done to many jobs, while it is under way and until it is taken away. It goes on while other views are looked
 * at, and what Pollhook does by itself is found again after a reload.
 */
import { call, Refusal, token } from "./api.js";
import { h, replace } from "./dom.js";
import { button } from "./ui.js";
import { counted, number } from "./words.js";

const LOOK_MS = 1_000;
/** The operations that this tab has begun: a reload finds them again. */
const KEY = "pollhook-operations";

/** @typedef {"redeliver" | "cancel"} Kind */
/**
 * @typedef {object} Work
 * @property {Kind} kind
 * @property {string | null} id Of the operation; `null`: this page does it, and takes it along when it goes.
 * @property {number} total
 * @property {number} done
 * @property {number} failed
 * @property {string | null} why Those were refused.
 * @property {boolean} isOver
 */

/** `able`: the statuses of jobs that it can be done to; `why` it cannot be to the others. */
export const WORDS = {
  redeliver: {
    verb: "Redeliver",
    doing: "Redelivering",
    did: "Redelivered",
    able: ["delivering", "delivered", "undelivered"],
    why: "nothing to deliver, or no callback",
  },
  cancel: {
    verb: "Cancel",
    doing: "Canceling",
    did: "Canceled",
    able: ["waiting", "delivering"],
    why: "over already",
  },
};

/** @type {Work[]} */
let works = [];
const news = new EventTarget();
export const tell = () => news.dispatchEvent(new Event("change"));

/** Who signs in next has nothing to do with it. */
export function forgetWorks() {
  works = [];
  keep();
}

/** What Pollhook does by itself is remembered, and told. */
function keep() {
  const kept = works.filter(({ id }) => id !== null).map(({ id, kind }) => ({ id, kind }));
  if (kept.length > 0) sessionStorage.setItem(KEY, JSON.stringify(kept));
  else sessionStorage.removeItem(KEY);
  tell();
}

/** Goes on telling of what was under way before the page was loaded again. */
function recall() {
  /** @type {{ id: string, kind: Kind }[]} */
  const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
  for (const { id, kind } of kept)
    if (!works.some((work) => work.id === id)) void follow(begin(kind, 0, id), null);
}

addEventListener("beforeunload", (event) => {
  if (works.some(({ id, isOver }) => id === null && !isOver)) event.preventDefault();
});

/** @param {Kind} kind @param {number} total @param {string | null} id @returns {Work} */
export function begin(kind, total, id) {
  const work = { kind, id, total, done: 0, failed: 0, why: null, isOver: false };
  works = [...works, work];
  keep();
  return work;
}

/** @param {Work} work */
export function end(work) {
  work.isOver = true;
  tell();
}

/** @param {Work} work @param {{ status: string, total: number, done: number, failed: number } | null} operation As it was answered, if it was. */
export async function follow(work, operation) {
  const used = token.get();
  for (let seen = operation; ; ) {
    if (seen) {
      const { total, done, failed } = seen;
      // Of those that fitted, the ones that it could not be done to.
      const why = failed > 0 ? WORDS[work.kind].why : null;
      Object.assign(work, { total, done: done + failed, failed, why });
      tell();
      if (seen.status === "done") return end(work);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    await untilVisible();
    if (token.get() !== used) return;
    try {
      ({ operation: seen = null } = await call("GET", `/v1/operations/${work.id}`));
    } catch (error) {
      // It goes on, whether it can be seen or not.
      if (error instanceof Refusal && error.status >= 400 && error.status < 429) return forget(work);
    }
    if (!seen) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** @param {Work} work */
function forget(work) {
  works = works.filter((other) => other !== work);
  keep();
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
  recall();
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
  const { doing, did } = WORDS[work.kind];
  const bar = h("progress", { "aria-label": doing });
  // Heard once, when it is over.
  const over = h("p", { role: "status" });
  const now = h("p", { class: "muted" });
  const away = button("Dismiss", async () => forget(work), { class: "small" });
  const element = h("div", { class: "job-work" }, now, bar, over);
  return {
    element,
    draw() {
      bar.max = Math.max(1, work.total);
      bar.value = work.done;
      const failed = work.failed > 0 ? `, ${number(work.failed)} refused` : "";
      if (!work.isOver)
        return replace(now, `${doing} ${number(work.done)} of ${number(work.total)}${failed}`);
      if (over.hasChildNodes()) return;
      now.remove();
      bar.remove();
      const why = work.why ? `${failed}: ${work.why}` : failed;
      replace(over, `${did} ${number(work.done - work.failed)} of ${counted(work.total, "job")}${why}`);
      element.append(away);
      onOver();
    },
  };
}
