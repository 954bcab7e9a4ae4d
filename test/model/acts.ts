/**
 * What a caller may do to a job at any moment, also while its object waits for an answer, and what the clock may do.
 * Each is done to the object and to the model, and both must answer alike.
 */
import fc from "fast-check";
import { ensure } from "./checks.ts";
import { HOOKS } from "./deployment.ts";
import type { Registering } from "./job-model.ts";
import type { World } from "./world.ts";

export type Act =
  | { readonly what: "register"; readonly as: Registering }
  | { readonly what: "redeliver"; readonly to: string | null }
  | { readonly what: "jump"; readonly ms: number }
  /** `stranger`: another tenant tries everything. `alarm`: while it runs, it comes once more. */
  | { readonly what: "cancel" | "erase" | "hint" | "stranger" | "alarm" };

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;

export const registerings: fc.Arbitrary<Registering> = fc.record({
  callback: fc.constantFrom(...HOOKS, HOOKS[0], null),
  format: fc.constantFrom("standard", "standard", "standard", "provider"),
  etaSeconds: fc.constantFrom(null, 0, 5, 600),
  deadlineSeconds: fc.constantFrom(30, 300, 3_600),
  isAnswered: fc.oneof(
    { arbitrary: fc.constant(false), weight: 7 },
    { arbitrary: fc.constant(true), weight: 1 },
  ),
});

const what = <What extends Act["what"]>(name: What) => fc.constant({ what: name } as const);

export const acts: fc.Arbitrary<Act> = fc.oneof(
  { arbitrary: registerings.map((as) => ({ what: "register", as }) as const), weight: 4 },
  {
    arbitrary: fc.constantFrom(null, ...HOOKS).map((to) => ({ what: "redeliver", to }) as const),
    weight: 4,
  },
  {
    arbitrary: fc
      .constantFrom(SECOND, 61 * SECOND, HOUR, DAY, 8 * DAY, 15 * DAY, -2 * SECOND, -HOUR)
      .map((ms) => ({ what: "jump", ms }) as const),
    weight: 4,
  },
  { arbitrary: what("cancel"), weight: 3 },
  { arbitrary: what("erase"), weight: 1 },
  { arbitrary: what("hint"), weight: 2 },
  { arbitrary: what("stranger"), weight: 1 },
  { arbitrary: what("alarm"), weight: 1 },
);

export function nameOf(act: Act): string {
  if (act.what === "register") return `register(${JSON.stringify(act.as)})`;
  if (act.what === "redeliver") return `redeliver(${act.to ?? ""})`;
  return act.what === "jump" ? `jump(${act.ms / SECOND} s)` : act.what;
}

/** Does it. Answers other than the model's are thrown. */
export async function perform(act: Act, world: World): Promise<void> {
  const { model } = world;
  const { host, tenant, id } = world.setting;
  const now = Date.now();
  const alike = (seen: { readonly kind: string }, expected: string): void =>
    ensure(seen.kind === expected, `${nameOf(act)} is answered ${expected}`, seen);
  switch (act.what) {
    case "register": {
      // The Worker takes no registration while the configuration cannot be used.
      if (model.masterKeys.length === 0) return;
      const registration = await world.registration(act.as);
      const seen = await host.call((job) => job.register(registration));
      const formatBefore = model.job?.format;
      alike(seen, model.register(act.as, now));
      if (seen.kind === "created") world.started(seen.view);
      // An event that nobody has been sent yet is built anew for its first receiver.
      else if (model.job?.format !== formatBefore) world.forgetBody();
      return;
    }
    case "redeliver":
      return alike(await host.call((job) => job.redeliver(tenant, id, act.to)), model.redeliver(act.to, now));
    case "cancel":
      return alike(await host.call((job) => job.cancel(tenant, id)), model.cancel(now));
    case "erase":
      return alike(await host.call((job) => job.erase(tenant, id)), model.erase());
    case "hint":
      return alike(await host.call((job) => job.hint(tenant, id)), model.hint(now));
    case "stranger":
      return asStranger(world);
    case "alarm":
      // Outside of a run that is a command of its own.
      if (world.plan) world.alsoRunning.push(host.alarmAgain());
      return;
    case "jump":
      return world.moveTo(now + act.ms);
    default:
      return act satisfies never;
  }
}

/** Another tenant's job is none, whatever is asked of it, and nothing changes. */
async function asStranger({ setting: { host, id } }: World): Promise<void> {
  const other = "stranger";
  const answers = await host.call((job) =>
    Promise.all([
      job.read(other, id),
      job.progress(other, id, "", 0),
      job.event(other, id, 1_000_000),
      job.cancel(other, id),
      job.redeliver(other, id, HOOKS[1]),
      job.hint(other, id),
      job.unpark(other, id, 0),
      job.erase(other, id),
    ]),
  );
  for (const answer of answers) ensure(answer.kind === "not_found", "a stranger finds nothing", answer);
}
