/** Charts as text: what they show, that nothing breaks out of them, and where their axes end. */
import { describe, expect, it } from "vitest";
import { scaleOf } from "./scale.ts";
import { type BarChart, barChart, type LineChart, lineChart } from "./svg.ts";

const NASTY = `<script>"a" & 'b'</script>`;

const bars = (overrides: Partial<BarChart> = {}): string =>
  barChart({
    title: "Title",
    description: "Description",
    yTitle: "dollars",
    groups: ["one", "two"],
    series: [
      { name: "first", values: [1, 2] },
      { name: "second", values: [3, null] },
    ],
    ...overrides,
  });

const lines = (overrides: Partial<LineChart> = {}): string =>
  lineChart({
    title: "Title",
    description: "Description",
    x: { title: "callers", isLog: true },
    y: { title: "a second" },
    series: [
      {
        name: "first",
        isLine: true,
        points: [
          [1, 10],
          [100, 20],
        ],
      },
      { name: "second", points: [[10, 20]] },
    ],
    ...overrides,
  });

const count = (svg: string, tag: string): number => svg.split(`<${tag} `).length - 1;
/** The coordinates of each dot. */
const dots = (svg: string): number[][] =>
  [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);

describe("a bar chart", () => {
  it("has a bar, with its value, for each value that there is, and the names of groups and series", () => {
    const svg = bars();
    // The card, two in the legend, three bars.
    expect(count(svg, "rect")).toBe(1 + 2 + 3);
    for (const words of ["one", "two", "first", "second", "dollars"])
      expect(svg).toContain(`>${words}</text>`);
    for (const value of [1, 2, 3])
      expect(svg).toContain(`font-size="11" fill="#1f2328" text-anchor="middle">${value}<`);
  });

  it("puts parts of a whole on top of one another, and says what they come to", () => {
    const svg = bars({ isStacked: true });
    const [first, second] = [
      ...svg.matchAll(/<rect x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"/g),
    ]
      .slice(1, 3)
      .map(([, y, height]) => ({ y: Number(y), height: Number(height) }));
    expect((second?.y ?? 0) + (second?.height ?? 0)).toBeCloseTo(first?.y ?? 0, 0);
    expect(svg).toContain(">4</text>");
  });
});

describe("a bar chart of ratios", () => {
  it("has its bars stand on 1, upwards and downwards", () => {
    const svg = bars({
      groups: ["one"],
      isLog: true,
      series: [4, 0.25].map((v) => ({ name: `${v}`, values: [v] })),
    });
    const [above, below] = [...svg.matchAll(/y="([\d.]+)" width="[\d.]+" height="([\d.]+)"/g)]
      .slice(1, 3)
      .map(([, y, height]) => [Number(y), Number(height)] as const);
    expect((above?.[0] ?? 0) + (above?.[1] ?? 0)).toBeCloseTo(below?.[0] ?? 0, 0);
    expect(above?.[1]).toBeCloseTo(below?.[1] ?? 0, 0);
  });
});

describe("a bar chart of many series", () => {
  const series = Array.from({ length: 24 }, (_, i) => ({
    name: `a series with the number ${i}`,
    values: [i, i + 1],
  }));

  it("has the legend in lines above the bars, and every name of it on the card", () => {
    const svg = bars({ series });
    const names = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)"[^>]*>(a series[^<]*)</g)];
    expect(names).toHaveLength(24);
    for (const [, x, , name] of names) expect(Number(x) + (name?.length ?? 0) * 6.4).toBeLessThan(760);
    const lowest = Math.max(...names.map(([, , y]) => Number(y)));
    const values = [...svg.matchAll(/y="([\d.]+)" font-size="9"/g)].map(([, y]) => Number(y));
    expect(values).toHaveLength(48);
    expect(Math.min(...values)).toBeGreaterThan(lowest);
  });

  it("has the values written upwards, each beside its bar", () => {
    expect(bars({ series }).match(/transform="rotate\(-90/g)).toHaveLength(48 + 1);
    expect(bars().match(/transform="rotate\(-90/g)).toHaveLength(1);
  });
});

describe("a line chart", () => {
  it("has a dot for each point, a line for each series that is one, and a name beside each", () => {
    const svg = lines();
    expect(dots(svg)).toHaveLength(3);
    expect(count(svg, "polyline")).toBe(1);
    for (const words of ["first", "second", "callers", "a second"]) expect(svg).toContain(`>${words}</text>`);
  });

  it("gives each power of ten as much of a logarithmic axis", () => {
    const [one, hundred, ten] = dots(lines()).map(([x]) => x ?? Number.NaN);
    expect(ten).toBeCloseTo(((one ?? 0) + (hundred ?? 0)) / 2, 0);
  });

  it("moves a name that would cover another", () => {
    const points = [[10, 20]] as const;
    const svg = lines({ series: ["first", "second"].map((name) => ({ name, points })) });
    const heights = ["first", "second"].map((name) =>
      Number(new RegExp(`y="([\\d.]+)"[^>]*>${name}<`).exec(svg)?.[1]),
    );
    expect(Math.abs((heights[0] ?? 0) - (heights[1] ?? 0))).toBeGreaterThanOrEqual(14);
  });

  it("moves a name that would cover the point of another", () => {
    const points = (x: number) => [[x, 20]] as const;
    const svg = lines({
      x: { title: "x" },
      series: [
        { name: "a name that is long enough", points: points(10) },
        { name: "b", points: points(12) },
      ],
    });
    const height = Number(/y="([\d.]+)"[^>]*>a name that is long enough</.exec(svg)?.[1]);
    expect(Math.abs(height - 4 - (dots(svg)[1]?.[1] ?? 0))).toBeGreaterThan(10);
  });

  it("keeps all names on its card", () => {
    const name = "a name that is long, and stands beside the last point of all";
    const svg = lines({ series: [{ name, points: [[100, 20]] }] });
    const [from, width] = [/<text x="([\d.]+)"[^>]*>a name/, /viewBox="0 0 (\d+)/].map((pattern) =>
      Number(pattern.exec(svg)?.[1]),
    );
    expect((from ?? 0) + name.length * 6.4).toBeLessThan(width ?? 0);
  });

  it("refuses zero on a logarithmic axis", () => {
    expect(() => lines({ series: [{ name: "x", points: [[0, 1]] }] })).toThrow("logarithmic");
  });
});

describe("any chart", () => {
  it("lets no text out of its place", () => {
    const series = [{ name: NASTY, values: [1, 2] }];
    const charts = [
      bars({ title: NASTY, description: NASTY, yTitle: NASTY, groups: [NASTY, NASTY], series }),
      lines({
        title: NASTY,
        description: NASTY,
        x: { title: NASTY },
        y: { title: NASTY },
        series: [{ name: NASTY, points: [[1, 1]] }],
      }),
    ];
    for (const svg of charts) {
      expect(svg).not.toContain("<script");
      expect(svg).toContain(`<title>&lt;script&gt;&quot;a&quot; &amp; 'b'&lt;/script&gt;</title>`);
    }
  });

  it("says what it is, stands on white, and is the same from the same figures", () => {
    for (const chart of [bars, lines]) {
      expect(chart()).toContain("<title>Title</title>\n<desc>Description</desc>");
      expect(chart()).toMatch(/<rect [^>]*fill="#ffffff"/);
      expect(chart()).toBe(chart());
    }
  });
});

describe("an axis", () => {
  it("is marked at round values, from zero to what takes in the greatest", () => {
    expect(scaleOf([3, 47]).ticks).toEqual([0, 10, 20, 30, 40, 50]);
    expect(scaleOf([0.03]).ticks).toEqual([0, 0.01, 0.02, 0.03]);
    expect(scaleOf([0, 0]).ticks.length).toBeGreaterThan(1);
  });

  it("that is logarithmic begins and ends at a mark", () => {
    expect(scaleOf([1, 128], true).ticks).toEqual([1, 3, 10, 30, 100, 300]);
    expect(scaleOf([0.5, 20_000], true).ticks).toEqual([0.1, 1, 10, 100, 1_000, 10_000, 100_000]);
    expect(scaleOf([5, 5], true).ticks.length).toBeGreaterThan(1);
  });
});
