/**
 * One part of a results.md, and the plots that it shows.
 */
export interface Section {
  readonly title: string;
  /** Markdown without the heading: tables and the few sentences that say what was measured and how. */
  readonly body: string;
  /** What a plot is drawn from; each becomes `plots/<name>.svg` beside results.md. */
  readonly plots: readonly Plot[];
  /** What did not hold, a line each; a part with any has failed, and is written all the same. */
  readonly failures?: readonly string[];
}

export interface Plot {
  readonly name: string;
  readonly alt: string;
  readonly svg: string;
}
