/**
 * HTML text. What is put into a template is escaped unless it is HTML already, so that no text of the document can
 * become markup.
 */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = Html | string | number | readonly Part[] | null | undefined | false;

export const html = (texts: TemplateStringsArray, ...parts: readonly Part[]): Html =>
  new Html(texts.map((text, i) => text + written(parts[i])).join(""));

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

function written(part: Part): string {
  if (part === null || part === undefined || part === false) return "";
  if (part instanceof Html) return part.text;
  if (typeof part === "object") return part.map(written).join("");
  return String(part).replace(/[&<>"]/g, (char) => ESCAPES[char] ?? char);
}

/** A line of prose, with `code` in backticks. */
export const inline = (text: string): Html =>
  new Html(
    text
      .split("`")
      .map((piece, i) => (i % 2 === 0 ? written(piece) : `<code>${written(piece)}</code>`))
      .join(""),
  );

/** Paragraphs of it. */
export const prose = (text = ""): Html =>
  html`${text
    .split(/\n{2,}/)
    .filter((paragraph) => paragraph !== "")
    .map((paragraph) => html`<p>${inline(paragraph)}</p>\n`)}`;

/** A block of code that can be scrolled by keyboard; `copy`: one click marks all of it. */
export const block = (label: string, code: string, copy = false): Html =>
  html`<pre tabindex="0" role="region" aria-label="${label}"${copy && new Html(' class="copy"')}><code>${code}</code></pre>\n`;
