/**
 * Tables of results.md: the first column to the left, figures to the right.
 */
export function markdownTable(rows: readonly (readonly (string | number)[])[]): string {
  const [heads = [], ...others] = rows;
  const line = (cells: readonly (string | number)[]): string => `| ${cells.map(cellOf).join(" | ")} |`;
  const rule = heads.map((_, column) => (column === 0 ? "---" : "---:"));
  return [line(heads), line(rule), ...others.map(line)].join("\n");
}

/** What would end the cell early does not. */
const cellOf = (cell: string | number): string => String(cell).replaceAll("|", "\\|").replaceAll("\n", " ");
