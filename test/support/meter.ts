/**
 * Counts what the platform bills objects for, as the real classes do it: each call and alarm that reaches one, each
 * row, and how long it is at work. What a test does to an object by itself (`runInDurableObject`) is not counted.
 */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { AsyncLocalStorage } from "node:async_hooks";
import { Job } from "../../src/job/job.ts";
import { Limiter } from "../../src/limiter/limiter.ts";
import { Tenant } from "../../src/tenant/tenant.ts";
import { covered, type Span } from "./covered.ts";

const CLASSES = { Job, Tenant, Limiter } as const;
export type ClassName = keyof typeof CLASSES;

/** One call or alarm of an object; times are those of `performance.now()`. */
export interface Visit {
  readonly className: ClassName;
  readonly object: string;
  readonly method: string;
  readonly from: number;
  to: number | null;
}

interface Read {
  readonly className: ClassName;
  /** Asked at the end: a cursor goes on counting while it is read. */
  readonly rows: () => number;
}

interface Written extends Read {
  /** The storage's method; `exec` stands for a statement that wrote. */
  readonly call: string;
}

/** A public method or a storage call, of whatever arguments. */
type Call = (this: object, ...args: unknown[]) => unknown;

export class Meter {
  readonly visits: Visit[] = [];
  readonly #read: Read[] = [];
  readonly #written: Written[] = [];
  readonly #within = new AsyncLocalStorage<{ readonly object: object; readonly className: ClassName }>();
  readonly #undo: (() => void)[] = [];

  /** Counts from now on, whatever objects there are or will be, until it is stopped. */
  static async start(): Promise<Meter> {
    const meter = new Meter();
    for (const name of Object.keys(CLASSES) as ClassName[]) meter.#watchClass(name);
    await runInDurableObject(env.JOB.getByName("meter"), (_, { storage }) => meter.#watchStorage(storage));
    return meter;
  }

  stop(): void {
    for (const undo of this.#undo.splice(0)) undo();
  }

  /** The methods that were called, in their order. */
  requests(className: ClassName): string[] {
    return this.visits.flatMap((visit) => (visit.className === className ? [visit.method] : []));
  }

  /** The storage calls that wrote, in their order: one row each, but for `exec`, which is as many as it says. */
  writes(className: ClassName): string[] {
    return this.#written.flatMap((written) =>
      written.className === className && written.rows() > 0 ? [written.call] : [],
    );
  }

  rowsWritten(className: ClassName): number {
    return sum(this.#written, className);
  }

  rowsRead(className: ClassName): number {
    return sum(this.#read, className);
  }

  /** How long objects were at work, each for itself: what it does at the same time counts once. */
  busyMs(className: ClassName): number {
    const byObject = new Map<string, Span[]>();
    for (const { className: name, object, from, to } of this.visits)
      if (name === className) byObject.set(object, [...(byObject.get(object) ?? []), [from, to ?? from]]);
    return [...byObject.values()].reduce((ms, spans) => ms + covered(spans), 0);
  }

  /** Nothing is under way, and nothing has begun for `ms`. */
  async settled(ms: number): Promise<void> {
    for (let seen = -1; seen !== this.visits.length || this.visits.some(({ to }) => to === null); ) {
      seen = this.visits.length;
      await scheduler.wait(ms);
    }
  }

  #watchClass(className: ClassName): void {
    const { prototype } = CLASSES[className];
    const methods = Object.getOwnPropertyNames(prototype).filter((name) => name !== "constructor");
    const within = this.#within;
    const { visits } = this;
    for (const method of methods)
      this.#wrap(
        prototype,
        method,
        (original) =>
          function (...args) {
            // What an object calls of itself is no request.
            if (within.getStore()?.object === this) return original.apply(this, args);
            const { ctx } = this as unknown as { ctx: DurableObjectState };
            const visit: Visit = {
              className,
              object: ctx.id.name ?? ctx.id.toString(),
              method,
              from: performance.now(),
              to: null,
            };
            visits.push(visit);
            const ended = () => {
              visit.to = performance.now();
            };
            return within.run({ object: this, className }, async () => {
              try {
                return await original.apply(this, args);
              } finally {
                ended();
              }
            });
          },
      );
  }

  /** The methods are those of all storages: one object shows where they are. */
  #watchStorage(storage: DurableObjectStorage): void {
    const proto = (value: object): object => Object.getPrototypeOf(value);
    const one = () => 1;
    for (const call of ["setAlarm", "deleteAlarm", "deleteAll"]) this.#noteWrite(proto(storage), call, one);
    for (const call of ["put", "delete"]) this.#noteWrite(proto(storage.kv), call, one);
    this.#noteRead(proto(storage.kv), "get", one);
    this.#wrap(proto(storage.kv), "list", (original) => {
      const note = (rows: () => number) => this.#note(this.#read, { rows });
      return function (...args) {
        const entries = [...(original.apply(this, args) as Iterable<unknown>)];
        // To find that there is nothing takes a look, too.
        note(() => Math.max(entries.length, 1));
        return entries;
      };
    });
    this.#wrap(proto(storage.sql), "exec", (original) => {
      const note = (cursor: SqlStorageCursor<Record<string, SqlStorageValue>>) => {
        this.#note(this.#read, { rows: () => cursor.rowsRead });
        this.#note(this.#written, { call: "exec", rows: () => cursor.rowsWritten });
      };
      return function (...args) {
        const cursor = original.apply(this, args) as SqlStorageCursor<Record<string, SqlStorageValue>>;
        note(cursor);
        return cursor;
      };
    });
  }

  #noteWrite(target: object, call: string, rows: () => number): void {
    this.#noteEach(target, call, () => this.#note(this.#written, { call, rows }));
  }

  #noteRead(target: object, call: string, rows: () => number): void {
    this.#noteEach(target, call, () => this.#note(this.#read, { rows }));
  }

  #noteEach(target: object, call: string, note: () => void): void {
    this.#wrap(
      target,
      call,
      (original) =>
        function (...args) {
          note();
          return original.apply(this, args);
        },
    );
  }

  /** Of the object whose method is running; a test's own calls have none. */
  #note<Noted extends Read>(notes: Noted[], note: Omit<Noted, "className">): void {
    const within = this.#within.getStore();
    if (within) notes.push({ ...note, className: within.className } as Noted);
  }

  #wrap(target: object, name: string, around: (original: Call) => Call): void {
    const methods = target as Record<string, Call>;
    const original = methods[name];
    if (!original) throw new Error(`There is no ${name}.`);
    methods[name] = around(original);
    this.#undo.push(() => {
      methods[name] = original;
    });
  }
}

const sum = (notes: readonly Read[], className: ClassName): number =>
  notes.reduce((rows, note) => rows + (note.className === className ? note.rows() : 0), 0);
