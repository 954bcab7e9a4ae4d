/**
 * What all charts share: a white card of their own, so that they can be read on a light page and on a dark one, the area
 * that is drawn in, the upright axis, the legend, and text that lets nothing out of its place.
 */
import type { Scale } from "./scale.ts";

/** Dark enough to write with on white, and told apart by lightness where hues are not. */
const COLOURS = [
  ...["#0072b2", "#c04f00", "#00805d", "#a8457f", "#8a6a00"],
  ...["#555555", "#6a3d9a", "#1f7a8c", "#a3142e", "#1f2328"],
];
const INK = "#1f2328";
export const GREY = "#59636e";
export const LINE = "#d1d9e0";
const WIDTH = 760;
const HEIGHT = 420;
/** A letter's width, about. */
export const LETTER = 6.4;
const TOP = 64;
const BOTTOM = 58;
const LEFT = 70;
const MARGIN = 24;
const LEGEND_TOP = 38;
const LEGEND_LINE = 18;

export interface Described {
  readonly title: string;
  /** For who cannot see it: what is compared, in a sentence. */
  readonly description: string;
}

export interface PlotArea {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly x: (scale: Scale, value: number) => number;
  readonly y: (scale: Scale, value: number) => number;
}

/** Moves down below so many lines of a legend. */
export function plotOf(legendLines = 1, right = WIDTH - MARGIN): PlotArea {
  const top = TOP + (legendLines - 1) * LEGEND_LINE;
  const bottom = top + HEIGHT - TOP - BOTTOM;
  return {
    left: LEFT,
    right,
    top,
    bottom,
    x: (scale, value) => LEFT + scale.at(value) * (right - LEFT),
    y: (scale, value) => bottom - scale.at(value) * (bottom - top),
  };
}

export function yAxis(plot: PlotArea, scale: Scale, title: string): string[] {
  const marks = scale.ticks.flatMap((tick) => {
    const y = plot.y(scale, tick);
    return [
      `<line x1="${plot.left}" y1="${px(y)}" x2="${px(plot.right)}" y2="${px(y)}" stroke="${LINE}"/>`,
      text(plot.left - 8, y + 4, shown(tick), { anchor: "end", fill: GREY }),
    ];
  });
  const middle = (plot.top + plot.bottom) / 2;
  return [...marks, text(18, middle, title, { anchor: "middle", fill: GREY, isTurned: true })];
}

/** Narrowed until names that begin so far from the left, of 1, and have so many letters stay on the card. */
export function plotBeside(names: readonly (readonly [at: number, letters: number])[]): PlotArea {
  const widths = names.map(([at, letters]) => (WIDTH - 20 - LEFT - letters * LETTER) / Math.max(at, 0.1));
  return plotOf(1, Math.min(WIDTH - MARGIN, ...widths.map((width) => LEFT + width)));
}

/** What the colours mean, below the title, in as many lines as it takes. */
export function legendOf(names: readonly string[]): { readonly parts: string[]; readonly lines: number } {
  let [x, lines] = [LEFT, 1];
  const parts = names.flatMap((name, i) => {
    const width = 18 + name.length * LETTER + 16;
    if (x > LEFT && x + width > WIDTH) [x, lines] = [LEFT, lines + 1];
    const [at, y] = [x, LEGEND_TOP + (lines - 1) * LEGEND_LINE];
    x += width;
    return [
      `<rect x="${px(at)}" y="${y}" width="11" height="11" fill="${colour(i)}"/>`,
      text(at + 16, y + 10, name),
    ];
  });
  return { parts, lines };
}

export function card(
  { title, description }: Described,
  { bottom }: PlotArea,
  parts: readonly string[],
): string {
  const height = bottom + BOTTOM;
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="system-ui, 'Segoe UI', 'Open Sans', sans-serif">`;
  const back = `<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="6" fill="#ffffff" stroke="${LINE}"/>`;
  return `${[
    head,
    `<title>${escaped(title)}</title>`,
    `<desc>${escaped(description)}</desc>`,
    back,
    text(LEFT, 26, title, { size: 15, weight: 600 }),
    ...parts,
    "</svg>",
  ].join("\n")}\n`;
}

interface TextStyle {
  readonly anchor?: "start" | "middle" | "end";
  readonly size?: number;
  readonly fill?: string;
  readonly weight?: number;
  /** Reads upwards. */
  readonly isTurned?: boolean;
}

export const text = (
  x: number,
  y: number,
  words: string,
  { anchor, size = 12, fill = INK, weight, isTurned }: TextStyle = {},
) =>
  `<text x="${px(x)}" y="${px(y)}" font-size="${size}" fill="${fill}"${anchor ? ` text-anchor="${anchor}"` : ""}${weight ? ` font-weight="${weight}"` : ""}${isTurned ? ` transform="rotate(-90 ${px(x)} ${px(y)})"` : ""}>${escaped(words)}</text>`;

export const colour = (i: number): string => COLOURS[i % COLOURS.length] ?? INK;
export const px = (value: number): string => String(Math.round(value * 10) / 10);

/** Three figures of it, and no more zeros than it needs. */
export const shown = (value: number): string =>
  Math.abs(value) >= 1_000 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(3)));

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (words: string): string => words.replace(/[&<>"]/g, (letter) => ENTITIES[letter] ?? letter);
