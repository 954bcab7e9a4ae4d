/**
 * Writers of one instant go on in one turn, so that what they write is one commit: on a disk of one's own, that is what
 * a write costs.
 */

/** Long enough for those who come at the same time to be there. */
const GAP_MS = 1;

export class Together {
  #turn: Promise<void> | null = null;

  /** Resolves for all who wait at once. Whatever was read before it may be old behind it. */
  turn(): Promise<void> {
    this.#turn ??= scheduler.wait(GAP_MS).then(() => {
      this.#turn = null;
    });
    return this.#turn;
  }
}
