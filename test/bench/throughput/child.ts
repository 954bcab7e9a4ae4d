/**
 * A part of the bench in a process of its own, so that measuring shares no event loop with it: asked and answering over
 * IPC, one question at a time. It ends when whoever started it does, however that comes about.
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

interface Answer {
  readonly ok?: unknown;
  readonly error?: string;
}

export class Child<Question, Result> {
  readonly #process: ChildProcess;

  /** Runs the module, which calls {@link answer}. */
  constructor(module: URL) {
    this.#process = fork(fileURLToPath(module), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Rejects with the child's error, or when it has gone. */
  ask(question: Question): Promise<Result> {
    return new Promise((resolve, reject) => {
      const gone = () => reject(new Error("A process of the bench has ended early."));
      this.#process.once("exit", gone);
      this.#process.once("message", ({ ok, error }: Answer) => {
        this.#process.off("exit", gone);
        if (error === undefined) resolve(ok as Result);
        else reject(new Error(error));
      });
      this.#process.send(question as object);
    });
  }

  /** Resolves when it is gone. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#process.exitCode !== null || this.#process.signalCode !== null) resolve();
      else this.#process.once("exit", () => resolve());
      if (this.#process.connected) this.#process.disconnect();
    });
  }
}

/** In the child: answers what it is asked until nobody can ask any more. */
export function answer<Question, Result>(work: (question: Question) => Result | Promise<Result>): void {
  process.on("message", (question: Question) => {
    Promise.resolve(question)
      .then(work)
      .then(
        (ok) => process.send?.({ ok } satisfies Answer),
        (error: unknown) => process.send?.({ error: String(error) } satisfies Answer),
      );
  });
  process.once("disconnect", () => process.exit());
}
