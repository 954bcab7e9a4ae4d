/**
 * Charts as SVG text: bars in groups, side by side or on top of one another, and points or lines over axes that may be
 * logarithmic. They stand on a white card of their own, so that they can be read on a light page and on a dark one, say
 * in `<title>` and `<desc>` what they show, and come out the same to the byte from the same figures.
 */
import { type Scale, scaleOf } from "./scale.ts";

/** Dark enough to write with on white, and told apart by lightness where hues are not. */
const COLOURS = ["#0072b2", "#c04f00", "#00805d", "#a8457f", "#8a6a00", "#555555", "#6a3d9a", "#1f7a8c"];
const INK = "#1f2328";
const GREY = "#59636e";
const LINE = "#d1d9e0";
const WIDTH = 760;
const HEIGHT = 420;
const LETTER = 6.4;
const TOP = 64;
const BOTTOM = 58;
const LEFT = 70;
const LABEL_HEIGHT = 14;

interface Described {
  readonly title: string;
  /** For who cannot see it: what is compared, in a sentence. */
  readonly description: string;
}

/** Each series has one value for each group; `null` where there is nothing to be shown. */
export interface BarChart extends Described {
  /** With its unit. */
  readonly yTitle: string;
  readonly groups: readonly string[];
  readonly series: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
  /** Parts of a whole, the first at the bottom. */
  readonly isStacked?: boolean;
}

export interface Axis {
  /** With its unit. */
  readonly title: string;
  readonly isLog?: boolean;
}

export interface LineChart extends Described {
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly {
    readonly name: string;
    readonly points: readonly (readonly [x: number, y: number])[];
    /** Joined by lines, in their order; else each point stands for itself. */
    readonly isLine?: boolean;
  }[];
}

export function barChart(chart: BarChart): string {
  const { groups, series, isStacked = false } = chart;
  const valueAt = (bar: number, group: number): number => series[bar]?.values[group] ?? 0;
  const sums = groups.map((_, group) => series.reduce((sum, _one, bar) => sum + valueAt(bar, group), 0));
  const scale = scaleOf(isStacked ? sums : series.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const plot = plotOf(WIDTH - 24);
  const slot = (plot.right - plot.left) / groups.length;
  const width = (slot * 0.76) / (isStacked ? 1.8 : series.length);
  const parts: string[] = [];
  for (const [group, name] of groups.entries()) {
    const middle = plot.left + slot * (group + 0.5);
    let below = 0;
    for (const [bar, { values }] of series.entries()) {
      const value = values[group] ?? null;
      if (value === null) continue;
      const x = isStacked ? middle - width / 2 : middle + (bar - series.length / 2) * width;
      const [top, base] = [plot.y(scale, below + value), plot.y(scale, below)];
      parts.push(
        `<rect x="${px(x + 1)}" y="${px(top)}" width="${px(width - 2)}" height="${px(base - top)}" fill="${colour(bar)}"/>`,
      );
      if (isStacked) below += value;
      else parts.push(text(x + width / 2, top - 5, shown(value), { anchor: "middle", size: 11 }));
    }
    const total = plot.y(scale, sums[group] ?? 0) - 5;
    if (isStacked) parts.push(text(middle, total, shown(sums[group] ?? 0), { anchor: "middle", size: 11 }));
    parts.push(text(middle, plot.bottom + 18, name, { anchor: "middle" }));
  }
  const axis = yAxis(plot, scale, chart.yTitle);
  return card(chart, [...axis, ...parts, ...legend(series.map(({ name }) => name))]);
}

export function lineChart(chart: LineChart): string {
  const { series, x, y } = chart;
  const points = series.flatMap((one) => one.points);
  const [across, up] = [
    scaleOf(
      points.map(([at]) => at),
      x.isLog,
    ),
    scaleOf(
      points.map(([, at]) => at),
      y.isLog,
    ),
  ];
  const longest = Math.max(0, ...series.map(({ name }) => name.length));
  const plot = plotOf(WIDTH - 24 - longest * LETTER);
  const parts: string[] = [];
  const labels: Label[] = [];
  for (const [i, { name, points: own, isLine }] of series.entries()) {
    const places = own.map(([at, value]) => [plot.x(across, at), plot.y(up, value)] as const);
    if (isLine) {
      const path = places.map(([left, top]) => `${px(left)},${px(top)}`).join(" ");
      parts.push(`<polyline points="${path}" fill="none" stroke="${colour(i)}" stroke-width="2"/>`);
    }
    for (const [left, top] of places)
      parts.push(`<circle cx="${px(left)}" cy="${px(top)}" r="${isLine ? 2.5 : 5}" fill="${colour(i)}"/>`);
    const last = places.at(-1);
    if (last) labels.push({ name, fill: colour(i), from: last, y: last[1] + 4 });
  }
  const ticks = across.ticks.flatMap((tick) => [
    `<line x1="${px(plot.x(across, tick))}" y1="${plot.top}" x2="${px(plot.x(across, tick))}" y2="${plot.bottom}" stroke="${LINE}"/>`,
    text(plot.x(across, tick), plot.bottom + 18, shown(tick), { anchor: "middle", fill: GREY }),
  ]);
  const title = text((plot.left + plot.right) / 2, HEIGHT - 14, x.title, { anchor: "middle", fill: GREY });
  return card(chart, [...ticks, ...yAxis(plot, up, y.title), title, ...parts, ...placed(labels)]);
}

interface Label {
  readonly name: string;
  readonly fill: string;
  readonly from: readonly [x: number, y: number];
  readonly y: number;
}

/** Names beside their last points; one that would cover another moves down, with a line back to its point. */
function placed(labels: readonly Label[]): string[] {
  const done: Label[] = [];
  for (const label of [...labels].sort((a, b) => a.y - b.y)) {
    const covers = (y: number): boolean =>
      done.some((other) => Math.abs(other.y - y) < LABEL_HEIGHT && meets(other, label));
    let { y } = label;
    while (covers(y)) y += 1;
    done.push({ ...label, y });
  }
  return done.flatMap(({ name, fill, from: [x, top], y }) => [
    ...(y - top > LABEL_HEIGHT
      ? [`<line x1="${px(x)}" y1="${px(top)}" x2="${px(x + 9)}" y2="${px(y - 4)}" stroke="${fill}"/>`]
      : []),
    text(x + 10, y, name, { fill }),
  ]);
}

const meets = (a: Label, b: Label): boolean =>
  a.from[0] < b.from[0] + b.name.length * LETTER + 12 && b.from[0] < a.from[0] + a.name.length * LETTER + 12;

interface PlotArea {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly x: (scale: Scale, value: number) => number;
  readonly y: (scale: Scale, value: number) => number;
}

function plotOf(right: number): PlotArea {
  const bottom = HEIGHT - BOTTOM;
  return {
    left: LEFT,
    right,
    top: TOP,
    bottom,
    x: (scale, value) => LEFT + scale.at(value) * (right - LEFT),
    y: (scale, value) => bottom - scale.at(value) * (bottom - TOP),
  };
}

function yAxis(plot: PlotArea, scale: Scale, title: string): string[] {
  const marks = scale.ticks.flatMap((tick) => {
    const y = plot.y(scale, tick);
    return [
      `<line x1="${plot.left}" y1="${px(y)}" x2="${px(plot.right)}" y2="${px(y)}" stroke="${LINE}"/>`,
      text(plot.left - 8, y + 4, shown(tick), { anchor: "end", fill: GREY }),
    ];
  });
  const [x, y] = [18, (plot.top + plot.bottom) / 2];
  const turned = `<g transform="rotate(-90 ${x} ${y})">${text(x, y, title, { anchor: "middle", fill: GREY })}</g>`;
  return [...marks, turned];
}

/** What the colours mean, in a line below the title. */
function legend(names: readonly string[]): string[] {
  let x = LEFT;
  return names.flatMap((name, i) => {
    const at = x;
    x += 18 + name.length * LETTER + 16;
    return [
      `<rect x="${px(at)}" y="38" width="11" height="11" fill="${colour(i)}"/>`,
      text(at + 16, 48, name),
    ];
  });
}

function card({ title, description }: Described, parts: readonly string[]): string {
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" font-family="system-ui, 'Segoe UI', 'Open Sans', sans-serif">`;
  const back = `<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="6" fill="#ffffff" stroke="${LINE}"/>`;
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
}

const text = (
  x: number,
  y: number,
  words: string,
  { anchor, size = 12, fill = INK, weight }: TextStyle = {},
) =>
  `<text x="${px(x)}" y="${px(y)}" font-size="${size}" fill="${fill}"${anchor ? ` text-anchor="${anchor}"` : ""}${weight ? ` font-weight="${weight}"` : ""}>${escaped(words)}</text>`;

const colour = (i: number): string => COLOURS[i % COLOURS.length] ?? INK;
const px = (value: number): string => String(Math.round(value * 10) / 10);

/** Three figures of it, and no more zeros than it needs. */
const shown = (value: number): string =>
  Math.abs(value) >= 1_000 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(3)));

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (words: string): string => words.replace(/[&<>"]/g, (letter) => ENTITIES[letter] ?? letter);
