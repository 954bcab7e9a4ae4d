/**
 * One job's object, its provider and its receivers, next to the model of it. Whatever leaves the object is held against
 * the model where it arrives, before it is answered.
 */
import { vi } from "vitest";
import type { Job as JobRecord } from "../../src/job/record.ts";
import { makeRegistration, type Registration } from "../../src/job/registering.ts";
import type { JobView } from "../../src/job/view.ts";
import { PROVIDER } from "../support/api.ts";
import { ScriptedFetch, type Sent } from "../support/scripted-fetch.ts";
import { type Act, perform } from "./acts.ts";
import { POLL_ANSWERS, POST_ANSWERS, type PollAnswerName, type PostAnswerName } from "./answers.ts";
import { checkAttempt, checkPoll, ensure } from "./checks.ts";
import { configOf, HOOKS } from "./deployment.ts";
import type { Host } from "./host.ts";
import { JobModel, type Registering } from "./job-model.ts";

/** How the outside world behaves during one run of the alarm. */
export interface Plan {
  readonly poll: PollAnswerName;
  readonly post: PostAnswerName;
  /** What lands while that request is under way. */
  readonly during: { readonly request: "poll" | "post"; readonly acts: readonly Act[] } | null;
  /** Comes while an attempt that is due is being stored, and is not under way yet. */
  readonly justBefore: Act | null;
  /** With that request under way. */
  readonly dies: "poll" | "post" | null;
}

/** What is known of the event of the present start of the job. */
interface Event {
  readonly id: string;
  /** Once it has been seen. */
  body: string | null;
}

/** The one job of a sequence, and where it lives. */
export interface Setting {
  readonly tenant: string;
  readonly requestId: string;
  readonly id: string;
  /** The provider's. */
  readonly key: string;
  readonly host: Host;
  /** What is printed; it is taken out where it is looked at. */
  readonly logs: string[];
}

export class World {
  readonly model = new JobModel(["k1"]);
  readonly fetched = new ScriptedFetch();
  readonly setting: Setting;
  event: Event | null = null;
  readonly eventIds = new Set<string>();
  /** Of sealed keys: what must not be found once the outcome is known. */
  readonly sealed: string[] = [];
  /** When the job is due, as it was last seen. */
  wakeAt: number | null = null;
  /** The latest that the clock has ever shown. */
  latest = Date.now();
  /** For when the alarm was set whose run died: the platform repeats it, unless it was set anew. */
  firedAt: number | null = null;
  plan: Plan | null = null;
  requests = { poll: 0, post: 0 };
  /** Alarms that came while another one ran. */
  alsoRunning: Promise<void>[] = [];
  #failure: { readonly error: unknown } | null = null;

  constructor(setting: Setting) {
    this.setting = setting;
    this.fetched.always(`${PROVIDER}/api/v3/fetch/${setting.requestId}`, (sent, signal) =>
      this.#onPoll(sent, signal),
    );
    for (const hook of HOOKS) this.fetched.always(hook, (sent, signal) => this.#onPost(sent, signal));
  }

  moveTo(at: number): void {
    vi.setSystemTime(at);
    this.latest = Math.max(this.latest, at);
  }

  /** What the Worker hands to the object. */
  async registration(wish: Registering): Promise<Registration> {
    const registration = await makeRegistration(
      {
        tenant: this.setting.tenant,
        endpoint: "v3",
        requestId: this.setting.requestId,
        origin: PROVIDER,
        host: "pollhook.example",
        callbackUrl: wish.callback,
        format: wish.format,
        metadata: '{"n":1.50}',
        etaSeconds: wish.etaSeconds,
        deadlineSeconds: wish.deadlineSeconds,
        finalAnswer: wish.isAnswered ? new TextEncoder().encode('{"status":"success","output":["u"]}') : null,
        key: this.setting.key,
      },
      configOf(this.model.masterKeys),
    );
    this.sealed.push(...(registration.sealedKey?.split(".").slice(1) ?? []));
    return registration;
  }

  /** A start of the job: its event is a new one. */
  started({ fields }: JobView): void {
    ensure(!this.eventIds.has(fields.event_id), "a new start of the job has a new event", fields.event_id);
    this.eventIds.add(fields.event_id);
    this.event = { id: fields.event_id, body: null };
  }

  /** The event takes another shape. */
  forgetBody(): void {
    if (this.event) this.event.body = null;
  }

  /** Of what was held against the model while it could not be thrown. */
  throwFailure(): void {
    const failure = this.#failure;
    this.#failure = null;
    if (failure) throw failure.error;
    ensure(this.fetched.unexpected.length === 0, "nothing else is asked", this.fetched.unexpected);
  }

  stored(): Promise<JobRecord | null> {
    return this.setting.host.storage(async ({ kv }) => kv.get<JobRecord>(`job/${this.setting.id}`) ?? null);
  }

  #alarm(): Promise<number | null> {
    return this.setting.host.storage((storage) => storage.getAlarm());
  }

  async #onPoll(sent: Sent, signal: AbortSignal | null): Promise<Response> {
    const startedAt = Date.now();
    const start = this.model.job?.start ?? 0;
    await this.#held("poll", async () => checkPoll(this, sent));
    const { means, script } = POLL_ANSWERS[this.plan?.poll ?? "503"];
    this.model.polled(start, means, startedAt, Date.now());
    return script(this.setting.key)(sent, signal);
  }

  async #onPost(sent: Sent, signal: AbortSignal | null): Promise<Response> {
    const start = this.model.job?.start ?? 0;
    let run = 0;
    await this.#held("post", async () => {
      await checkAttempt(this, sent);
      run = this.model.attempting(Date.now());
    });
    const { means, script } = POST_ANSWERS[this.plan?.post ?? "500"];
    this.model.attempted(start, run, means, Date.now());
    return script(sent, signal);
  }

  /** A request is under way: it is looked at, then what was to land meanwhile lands. Never resolves where the run dies. */
  async #held(request: "poll" | "post", look: () => Promise<void>): Promise<void> {
    const { plan } = this;
    try {
      this.requests[request]++;
      ensure(plan !== null, "nothing is asked but in a run of the alarm", request);
      if (this.model.isWatched) ensure((await this.#alarm()) !== null, "a watchdog stands", plan);
      await look();
      if (plan?.during?.request === request) for (const act of plan.during.acts) await perform(act, this);
    } catch (error) {
      this.#failure ??= { error };
    }
    if (plan?.dies !== request) return;
    this.setting.host.die();
    await new Promise(() => {});
  }
}
