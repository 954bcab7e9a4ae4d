/**
 * Charts as SVG text: bars in groups, side by side or on top of one another, and points or lines over axes that may be
 * logarithmic. They say in `<title>` and `<desc>` what they show, and come out the same to the byte from the same figures.
 */
import {
  card,
  colour,
  type Described,
  GREY,
  LETTER,
  LINE,
  legendOf,
  plotBeside,
  plotOf,
  px,
  shown,
  text,
  yAxis,
} from "./card.ts";
import { scaleOf } from "./scale.ts";

const LABEL_HEIGHT = 14;
/** Of a point, and what a name has above and below its middle. */
const DOT_HEIGHT = 11;

/** Each series has one value for each group; `null` where there is nothing to be shown. */
export interface BarChart extends Described {
  /** With its unit. */
  readonly yTitle: string;
  readonly groups: readonly string[];
  readonly series: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
  /** Parts of a whole, the first at the bottom. */
  readonly isStacked?: boolean;
  /** For ratios, side by side: bars then stand on 1. */
  readonly isLog?: boolean;
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

/** Narrower bars have their values written upwards. */
const UPRIGHT_WIDTH = 26;

export function barChart(chart: BarChart): string {
  const { groups, series, isStacked = false, isLog = false } = chart;
  const valueAt = (bar: number, group: number): number => series[bar]?.values[group] ?? 0;
  const sums = groups.map((_, group) => series.reduce((sum, _one, bar) => sum + valueAt(bar, group), 0));
  const known = series.flatMap(({ values }) => values.filter((value) => value !== null));
  const scale = scaleOf(isStacked ? sums : isLog ? [1, ...known] : known, isLog);
  const legend = legendOf(series.map(({ name }) => name));
  const plot = plotOf(legend.lines);
  const slot = (plot.right - plot.left) / groups.length;
  const width = (slot * (isStacked ? 0.76 : 0.9)) / (isStacked ? 1.8 : series.length);
  const gap = Math.min(1, width / 12);
  const parts: string[] = [];
  for (const [group, name] of groups.entries()) {
    const middle = plot.left + slot * (group + 0.5);
    let below = isLog ? 1 : 0;
    for (const [bar, { values }] of series.entries()) {
      const value = values[group] ?? null;
      if (value === null) continue;
      const x = isStacked ? middle - width / 2 : middle + (bar - series.length / 2) * width;
      const [end, base] = [plot.y(scale, isStacked ? below + value : value), plot.y(scale, below)];
      const [top, height] = [Math.min(end, base), Math.abs(base - end)];
      parts.push(
        `<rect x="${px(x + gap)}" y="${px(top)}" width="${px(width - 2 * gap)}" height="${px(height)}" fill="${colour(bar)}"/>`,
      );
      if (isStacked) below += value;
      else if (width >= UPRIGHT_WIDTH)
        parts.push(text(x + width / 2, top - 5, shown(value), { anchor: "middle", size: 11 }));
      else parts.push(text(x + width / 2 + 3, top - 4, shown(value), { size: 9, isTurned: true }));
    }
    const total = plot.y(scale, sums[group] ?? 0) - 5;
    if (isStacked) parts.push(text(middle, total, shown(sums[group] ?? 0), { anchor: "middle", size: 11 }));
    parts.push(text(middle, plot.bottom + 18, name, { anchor: "middle" }));
  }
  return card(chart, plot, [...yAxis(plot, scale, chart.yTitle), ...parts, ...legend.parts]);
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
  const plot = plotBeside(
    series.map(({ name, points: own }) => [across.at(own.at(-1)?.[0] ?? 0), name.length]),
  );
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
  const title = text((plot.left + plot.right) / 2, plot.bottom + 44, x.title, {
    anchor: "middle",
    fill: GREY,
  });
  return card(chart, plot, [...ticks, ...yAxis(plot, up, y.title), title, ...parts, ...placed(labels)]);
}

interface Label {
  readonly name: string;
  readonly fill: string;
  readonly from: readonly [x: number, y: number];
  readonly y: number;
}

/** Names beside their last points; one that would cover another or its point moves, with a line back to its own. */
function placed(labels: readonly Label[]): string[] {
  const done: Label[] = [];
  for (const label of [...labels].sort((a, b) => a.y - b.y)) {
    const covers = (y: number): boolean =>
      done.some((other) => Math.abs(other.y - y) < LABEL_HEIGHT && meets(other, label)) ||
      labels.some((other) => Math.abs(other.from[1] + 4 - y) < DOT_HEIGHT && hides(label, other.from[0]));
    let { y } = label;
    for (let by = 1; covers(y); by++) y = label.y + (by % 2 === 0 ? -by : by + 1) / 2;
    done.push({ ...label, y });
  }
  return done.flatMap(({ name, fill, from: [x, top], y }) => [
    ...(Math.abs(y - top - 4) > DOT_HEIGHT
      ? [`<line x1="${px(x)}" y1="${px(top)}" x2="${px(x + 9)}" y2="${px(y - 4)}" stroke="${fill}"/>`]
      : []),
    text(x + 10, y, name, { fill }),
  ]);
}

const hides = ({ from: [x], name }: Label, point: number): boolean =>
  x + 4 < point && point < x + name.length * LETTER + 16;

const meets = (a: Label, b: Label): boolean =>
  a.from[0] < b.from[0] + b.name.length * LETTER + 12 && b.from[0] < a.from[0] + a.name.length * LETTER + 12;
