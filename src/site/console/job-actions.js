/**
 * What can be done to one job: sent again, stopped, erased.
 */
import { call, may } from "./api.js";
import { offerDestinations } from "./destination-names.js";
import { formDialog } from "./dialog.js";
import { h, replace } from "./dom.js";
import { faultOf, isOutage } from "./fault.js";
import { button, confirm, field } from "./ui.js";

/** @typedef {import("../../client/types.ts").Job} Job */

/**
 * @param {string} id
 * @param {() => void} onChange The job is another now.
 * @param {() => void} onErased
 */
export function jobActions(id, onChange, onErased) {
  const path = `/v1/jobs/${encodeURIComponent(id)}`;
  const fault = h("p", { class: "problem", role: "alert" });
  /** Whether what `fault` says is over once the job can be looked at. */
  let isPassing = false;
  /** @type {Job | null} */
  let job = null;
  const redeliver = button("Redeliver…", async () => job && askRedelivery(job));
  const cancel = button("Cancel…", () =>
    ask("Cancel this job?", "Cancel the job", STOPS, "POST", `${path}/cancel`, onChange),
  );
  const erase = button("Erase…", () => ask("Erase this job?", "Erase it", ERASES, "DELETE", path, onErased));
  const element = h(
    "div",
    {},
    may("jobs:write")
      ? h("p", { class: "actions" }, redeliver, cancel, erase)
      : h(
          "p",
          { class: "hint" },
          "To redeliver, cancel or erase it, sign in with a token that has jobs:write.",
        ),
    fault,
  );

  /**
   * @param {string} question
   * @param {string} yes
   * @param {string} means
   * @param {string} method
   * @param {string} to
   * @param {() => void} done
   */
  async function ask(question, yes, means, method, to, done) {
    replace(fault);
    if (!(await confirm(question, yes, h("p", {}, means)))) return;
    try {
      await call(method, to);
      done();
    } catch (error) {
      isPassing = isOutage(error);
      replace(fault, faultOf(error));
    }
  }

  /** @param {Job} job */
  function askRedelivery(job) {
    replace(fault);
    const url = h("input", { type: "url", placeholder: "https://…", autocomplete: "off" });
    const names = h("datalist", { id: "destinations" });
    const destination = h("input", { list: names.id, autocomplete: "off" });
    void offerDestinations(names);
    const now = job.callback_url ?? (job.destination && `the destination ${job.destination}`);
    formDialog(
      "Send the event again",
      "Redeliver",
      [
        h(
          "p",
          { class: "break" },
          now ? `Leave both empty to send it to ${now}.` : "The job has no callback: name one.",
        ),
        field("Another callback URL", url, "callback_url"),
        field(
          "Or a destination",
          destination,
          "destination",
          "It stands in for the job's callback from now on.",
        ),
        names,
      ],
      async () => {
        const body = {
          ...(url.value.trim() !== "" && { callback_url: url.value.trim() }),
          ...(destination.value.trim() !== "" && { destination: destination.value.trim() }),
        };
        await call("POST", `${path}/redeliver`, { body });
        onChange();
      },
    );
  }

  return {
    element,
    /** @param {Job} next */
    show(next) {
      job = next;
      if (isPassing) replace(fault);
      isPassing = false;
      const isRunning = next.status === "waiting" || next.status === "delivering";
      cancel.hidden = !isRunning;
      redeliver.hidden = next.outcome === null || next.outcome === "canceled";
    },
  };
}

const STOPS = "What is under way is stopped: the provider is polled no more, or the event sent no more.";
const ERASES =
  "The job, its answer, its event and its timeline are gone at once, and cannot be brought back.";
