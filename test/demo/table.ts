/**
 * Shows rows that change: a table updated in place on a terminal, a line a change otherwise.
 */

export interface Row {
  readonly title: string;
  readonly cells: readonly string[];
}

const ESC = "\u001b[";

export class LiveTable {
  readonly #out: NodeJS.WriteStream;
  readonly #columns: readonly string[];
  readonly #startedAt = Date.now();
  #drawn = 0;
  #last = new Map<string, string>();

  constructor(out: NodeJS.WriteStream, columns: readonly string[]) {
    this.#out = out;
    this.#columns = columns;
  }

  /** Shows the rows as they are now. */
  show(rows: readonly Row[]): void {
    if (this.#out.isTTY) this.#redraw(rows);
    else this.#printChanges(rows);
  }

  #redraw(rows: readonly Row[]): void {
    const lines = align([this.#columns, ...rows.map(({ title, cells }) => [title, ...cells])]);
    const width = Math.max(20, this.#out.columns ?? 80);
    const up = this.#drawn > 0 ? `${ESC}${this.#drawn}A` : "";
    this.#out.write(up + lines.map((line) => `${ESC}2K${line.slice(0, width - 1)}\n`).join(""));
    this.#drawn = lines.length;
  }

  #printChanges(rows: readonly Row[]): void {
    for (const { title, cells } of rows) {
      const text = cells.filter((cell) => cell !== "").join("  ");
      if (this.#last.get(title) === text) continue;
      this.#last.set(title, text);
      const seconds = ((Date.now() - this.#startedAt) / 1000).toFixed(1).padStart(5);
      this.#out.write(`${seconds} s  ${title.padEnd(38)} ${text}\n`);
    }
  }
}

/** Pads every column to its widest cell. */
function align(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
