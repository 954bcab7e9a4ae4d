/**
 * Writers of one instant go on in one turn, so that what they write is one commit: on a disk of one's own, that is what
 * a write costs. Who writes alone hardly waits; where several write at a time, they wait for each other.
 */

const ALONE_MS = 1;
/** Several times what a commit takes. */
const TOGETHER_MS = 8;

export class Together {
  #turn: Promise<void> | null = null;
  #writers = 0;
  #waitMs = ALONE_MS;

  /** Resolves for all who wait at once. Whatever was read before it may be old behind it. */
  turn(): Promise<void> {
    this.#writers++;
    this.#turn ??= new Promise((resolve) => {
      setTimeout(() => {
        this.#waitMs = this.#writers > 1 ? TOGETHER_MS : ALONE_MS;
        this.#writers = 0;
        this.#turn = null;
        resolve();
      }, this.#waitMs);
    });
    return this.#turn;
  }
}
