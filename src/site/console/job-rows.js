/**
 * The jobs of a list, newest first, as pages of it come and come again. Pure but for what it holds.
 */

/** @typedef {import("../../client/types.ts").ListedJob} Job */
/** @typedef {{ jobs: Job[], next_cursor: string | null }} Page */

export class JobRows {
  /** Another array whenever it changes. @type {readonly Job[]} */
  jobs = [];
  /** Where the list goes on; `null`: it is here to its end, `undefined`: nothing is here yet. @type {string | null | undefined} */
  next = undefined;
  /** The cursors that pages ended with, by the last job of each. @type {Map<string, string>} */
  #cursors = new Map();

  /**
   * Puts a page in place of what was there of it. Whether jobs may be missing behind it: that many are new.
   *
   * @param {Job | null} after The job that it begins behind; `null`: it is the first.
   * @param {Page} page
   */
  merge(after, { jobs, next_cursor }) {
    const last = jobs.at(-1);
    const from = after ? this.#firstBehind(after) : 0;
    const to = next_cursor === null || !last ? this.jobs.length : this.#firstBehind(last);
    const wasEnd = to >= this.jobs.length;
    const isGap = to === from && !wasEnd && next_cursor !== null;
    this.jobs = this.jobs.toSpliced(from, Math.max(0, to - from), ...jobs);
    this.#dropDoubles(from, from + jobs.length);
    if (last && next_cursor !== null) this.#cursors.set(last.id, next_cursor);
    if (wasEnd) this.next = next_cursor;
    return isGap;
  }

  /** Forgets what is behind the job. @param {Job} last */
  cutBehind(last) {
    this.jobs = this.jobs.slice(0, this.#firstBehind(last));
    this.next = this.#cursors.get(last.id) ?? null;
  }

  /**
   * How to ask again for the page that holds the row: the job that it begins behind, and its cursor. `null`: the first.
   *
   * @param {number} index
   * @returns {{ after: Job, cursor: string } | null}
   */
  pageOf(index) {
    for (let i = Math.min(index, this.jobs.length) - 1; i >= 0; i--) {
      const after = this.jobs[i];
      const cursor = after && this.#cursors.get(after.id);
      if (after && cursor) return { after, cursor };
    }
    return null;
  }

  /** A job that was registered anew has another place: it is where the page has it, from `from` to `to`. @param {number} from @param {number} to */
  #dropDoubles(from, to) {
    const ids = new Set(this.jobs.slice(from, to).map(({ id }) => id));
    this.jobs = this.jobs.filter(({ id }, i) => (i >= from && i < to) || !ids.has(id));
  }

  /** @param {Job} job */
  #firstBehind(job) {
    let low = 0;
    let high = this.jobs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBehind(/** @type {Job} */ (this.jobs[middle]), job)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** The order of the list: later registrations first, then greater ids. @param {Job} a @param {Job} b */
const isBehind = (a, b) =>
  a.registered_at === b.registered_at ? a.id < b.id : a.registered_at < b.registered_at;

/** Whether there is an event that can be sent (again). @param {Job} job */
export const canRedeliver = ({ outcome, callback_url, destination }) =>
  outcome !== null && outcome !== "canceled" && (callback_url !== null || destination !== null);

/** @param {Job} job */
export const canCancel = ({ status }) => status === "waiting" || status === "delivering";
