/**
 * The callers: each registers its job when its time has come, comes back to it as planned, and repeats every call until it
 * is answered, as a good client does. Whatever the node goes through meanwhile, a promise that it gave must hold.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, type JobJson, REPEAT_MS } from "./client.ts";
import type { Entry, Ledger } from "./ledger.ts";
import { ENDPOINT, kindOf, type Plan, type Tenant } from "./plan.ts";
import type { World } from "./world.ts";

const BATCH_JOBS = 10;

export class Callers {
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #client: Client;
  /** Acts and second registrations that are still to come. */
  readonly #later = new Set<Promise<void>>();

  constructor(world: World, ledger: Ledger, client: Client) {
    this.#world = world;
    this.#ledger = ledger;
    this.#client = client;
  }

  /** Plays all plans; resolves when every call of theirs has been answered. */
  async play(startedAt = Date.now()): Promise<void> {
    const batches = new Map<Tenant, Entry[]>();
    const registrations: Promise<void>[] = [];
    for (const entry of this.#ledger.entries) {
      const { plan } = entry;
      const waitMs = startedAt + plan.atMs - Date.now();
      if (waitMs > 0) await sleep(waitMs);
      if (!plan.isBatched) registrations.push(this.#register(entry));
      else {
        const batch = [...(batches.get(plan.tenant) ?? []), entry];
        batches.set(plan.tenant, batch.length < BATCH_JOBS ? batch : []);
        if (batch.length === BATCH_JOBS) registrations.push(this.#registerAll(plan.tenant, batch));
      }
    }
    for (const [tenant, batch] of batches)
      if (batch.length > 0) registrations.push(this.#registerAll(tenant, batch));
    await Promise.all(registrations);
    while (this.#later.size > 0) await Promise.all(this.#later);
  }

  async #register(entry: Entry): Promise<void> {
    const { plan } = entry;
    this.#prepare(plan);
    const answer = await this.#client.insist(plan, "POST", "/v1/jobs", bodyOf(plan, this.#world));
    if (!answer) return;
    entry.lost += answer.lost;
    this.#accepted(entry, answer.status, answer.json, answer.lost > 0);
  }

  async #registerAll(tenant: Tenant, batch: readonly Entry[]): Promise<void> {
    for (const { plan } of batch) this.#prepare(plan);
    // A part of a batch may be refused while another is accepted: those are repeated, and then in a batch of their own.
    for (let rest = batch, lost = 0; rest.length > 0; ) {
      const jobs = rest.map(({ plan }) => bodyOf(plan, this.#world));
      const answer = await this.#client.insist(tenant, "POST", "/v1/jobs/batch", { jobs });
      if (!answer) return;
      lost += answer.lost;
      const results = answer.json.results ?? [];
      const again: Entry[] = [];
      for (const [i, entry] of rest.entries()) {
        const { status = 0, job = {} } = results[i] ?? {};
        if (status >= 500) again.push(entry);
        else this.#accepted(entry, status, job, lost > 0);
        entry.lost += status >= 500 ? 1 : answer.lost;
      }
      if (again.length > 0) {
        lost++;
        await sleep(REPEAT_MS * 5);
      }
      rest = again;
    }
  }

  /** The provider and the callback know of it before anybody asks. */
  #prepare(plan: Plan): void {
    if (plan.simulated) this.#world.provider.add(plan.simulated);
    const { to, steps } = kindOf(plan);
    if (to === "own" && steps) this.#world.receiver("steady").program(`/hook/job-${plan.index}`, steps);
  }

  #accepted(entry: Entry, status: number, job: JobJson, wasLost: boolean): void {
    const { plan } = entry;
    if (status !== 202 && !(status === 200 && wasLost)) {
      this.#ledger.faultOf(entry, `its registration was answered ${status} ${job.code ?? ""}`);
      return;
    }
    entry.id = job.id ?? null;
    entry.eventId = job.event_id ?? null;
    if (plan.againMs !== null) this.#in(plan.againMs, () => this.#again(entry));
    if (plan.act) this.#in(plan.act.afterMs, () => this.#act(entry));
  }

  #in(ms: number, work: () => Promise<void>): void {
    const later = sleep(ms)
      .then(work)
      .finally(() => this.#later.delete(later));
    this.#later.add(later);
  }

  /** What was answered 202 once is there, and is the same. */
  async #again(entry: Entry): Promise<void> {
    const { plan } = entry;
    const answer = await this.#client.insist(plan, "POST", "/v1/jobs", bodyOf(plan, this.#world));
    if (!answer) return;
    if (answer.status !== 200 || answer.json.id !== entry.id || answer.json.event_id !== entry.eventId)
      this.#ledger.faultOf(
        entry,
        `registered again it was answered ${answer.status} with event ${answer.json.event_id}, not ${entry.eventId}`,
      );
  }

  async #act(entry: Entry): Promise<void> {
    const { plan, id } = entry;
    const path = `/v1/jobs/${id}`;
    switch (plan.act?.kind) {
      case "cancel":
        entry.isActed = await this.#expect(entry, "POST", `${path}/cancel`, 200, "already_over");
        return;
      case "erase":
        entry.isActed = await this.#expect(entry, "DELETE", path, 204, "not_found");
        return;
      case "redeliver":
        await this.#redeliver(entry);
        return;
      case "restart":
        if (await this.#expect(entry, "POST", `${path}/cancel`, 200, "already_over"))
          await this.#restart(entry);
        return;
    }
  }

  /** `repeated`: what the call says where one before it was answered to nobody. */
  async #expect(
    entry: Entry,
    method: string,
    path: string,
    status: number,
    repeated: string,
  ): Promise<boolean> {
    const answer = await this.#client.insist(entry.plan, method, path);
    if (!answer) return false;
    const isDone = answer.status === status || (answer.lost > 0 && answer.json.code === repeated);
    if (!isDone)
      this.#ledger.faultOf(entry, `${method} was answered ${answer.status} ${answer.json.code ?? ""}`);
    return isDone;
  }

  /** As soon as there is something to send again. */
  async #redeliver(entry: Entry): Promise<void> {
    const limit = Date.now() + this.#client.limitMs;
    while (Date.now() < limit) {
      const answer = await this.#client.insist(entry.plan, "POST", `/v1/jobs/${entry.id}/redeliver`);
      if (answer?.status === 202) {
        entry.isActed = true;
        return;
      }
      if (answer?.json.code !== "nothing_to_deliver") {
        this.#ledger.faultOf(entry, `to redeliver it was answered ${answer?.status}`);
        return;
      }
      await sleep(500);
    }
    this.#ledger.faultOf(entry, "it could not be redelivered in time");
  }

  /** A canceled job begins anew: the same id, another event. */
  async #restart(entry: Entry): Promise<void> {
    const { plan } = entry;
    this.#world.provider.add({ endpoint: ENDPOINT, id: plan.requestId });
    if (entry.eventId !== null) entry.earlierEvents.push(entry.eventId);
    const answer = await this.#client.insist(plan, "POST", "/v1/jobs", {
      ...bodyOf(plan, this.#world),
      eta: 1,
    });
    if (!answer) return;
    const isNew = answer.status === 202 || (answer.status === 200 && answer.lost > 0);
    if (!isNew || answer.json.id !== entry.id || answer.json.event_id === entry.eventId)
      this.#ledger.faultOf(entry, `to start anew it was answered ${answer.status} ${answer.json.event_id}`);
    entry.eventId = answer.json.event_id ?? null;
    entry.isActed = isNew;
  }
}

function bodyOf(plan: Plan, world: World): Record<string, unknown> {
  const { to } = kindOf(plan);
  return {
    endpoint: ENDPOINT,
    ...(plan.kind !== "told" && { request_id: plan.requestId }),
    ...plan.says,
    metadata: { index: plan.index },
    ...(to === "own" && { callback_url: world.hookUrl(plan.index) }),
    ...(to !== "own" && to !== "nobody" && { destination: to }),
  };
}
