/**
 * Which of the answers in the document were seen, of those that a caller can bring about.
 */
import { OPERATIONS, type Operation, operationAt } from "./document.ts";

/** What no caller can bring about here, by whatever it sends. */
function isBeyondCallers({ id, asProvider }: Operation, status: string): boolean {
  const isGeneration = id.startsWith("callBy");
  switch (status) {
    // A fault of ours; nothing here is to be one.
    case "500":
      return true;
    case "503":
      return id !== "watchJob" && id !== "pullEvents";
    // Without a binding that counts, nobody calls too often; the provider may say so where it is asked to fetch.
    case "429":
      return !asProvider || isGeneration;
    // The simulated provider never fails at a generation, and has no other statuses.
    case "502":
    case "504":
      return isGeneration;
    case "default":
      return true;
    // A destination that cannot be read was sealed with a master key that is gone.
    case "409":
      return id === "testDestination" || id === "rotateSecret";
    default:
      return false;
  }
}

export class Coverage {
  readonly #seen = new Map<string, number>();
  readonly #byStatus = new Map<number, number>();
  #elsewhere = 0;

  note(method: string, target: string, status: number): void {
    this.#byStatus.set(status, (this.#byStatus.get(status) ?? 0) + 1);
    const operation = operationAt(method, target.split("?")[0] ?? "");
    if (!operation) {
      this.#elsewhere++;
      return;
    }
    const name = `${operation.id} ${status}`;
    this.#seen.set(name, (this.#seen.get(name) ?? 0) + 1);
  }

  /** How many answers had each status, in order. */
  get byStatus(): [status: number, count: number][] {
    return [...this.#byStatus].sort(([a], [b]) => a - b);
  }

  /** Answers of each operation by status: `registerJob` and `202: 14, 422: 9`. */
  get byOperation(): [operation: Operation, counts: [status: string, count: number][]][] {
    return OPERATIONS.map((operation) => [
      operation,
      [...this.#seen].flatMap(([name, count]): [string, number][] => {
        const [id, status = ""] = name.split(" ");
        return id === operation.id ? [[status, count]] : [];
      }),
    ]);
  }

  /** Answers at paths that the document does not have. */
  get elsewhere(): number {
    return this.#elsewhere;
  }

  /** What the document says of a caller's doing, as `registerJob 202`. */
  static readonly reachable: readonly string[] = OPERATIONS.flatMap((operation) =>
    operation.statuses
      .filter((status) => !isBeyondCallers(operation, status))
      .map((status) => `${operation.id} ${status}`),
  );

  get missed(): string[] {
    return Coverage.reachable.filter((name) => !this.#seen.has(name));
  }
}
