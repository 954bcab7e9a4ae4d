/** test/bench/section.ts — one part of results.md. */
export interface Section {
  readonly title: string;
  /** Markdown without the heading: tables and the few sentences that say what was measured and how. */
  readonly body: string;
  /** What a plot is drawn from; each becomes test/bench/plots/<name>.svg. */
  readonly plots: readonly Plot[];
}
export interface Plot {
  readonly name: string;
  readonly alt: string;
  readonly svg: string;
}
