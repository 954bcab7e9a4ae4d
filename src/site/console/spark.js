/**
 * A line of how long deliveries took, small enough to stand beside words.
 */
import { h, replace, svg } from "./dom.js";
import { duration } from "./words.js";

const WIDTH = 160;
const HEIGHT = 28;

/**
 * Draws the values, in ms and the oldest first. By their logarithm: one that was tried again for an hour is not to
 * flatten all others.
 *
 * @param {Element} place
 * @param {readonly number[]} values
 */
export function spark(place, values) {
  if (values.length < 2) return replace(place);
  const logs = values.map((ms) => Math.log10(1 + Math.max(0, ms)));
  const [least, most] = [Math.min(...logs), Math.max(...logs)];
  const x = (/** @type {number} */ i) => ((i / (values.length - 1)) * (WIDTH - 4) + 2).toFixed(1);
  const y = (/** @type {number} */ log) =>
    (HEIGHT - 3 - ((log - least) / (most - least || 1)) * (HEIGHT - 6)).toFixed(1);
  const points = logs.map((log, i) => `${x(i)},${y(log)}`).join(" ");
  const sorted = values.toSorted((a, b) => a - b);
  const words = `median ${duration(sorted[sorted.length >> 1])}, slowest ${duration(sorted.at(-1))}`;
  replace(
    place,
    svg(
      "svg",
      {
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        role: "img",
        "aria-label": `Finished to delivered, of the last ${values.length} deliveries in the list: ${words}`,
      },
      svg("polyline", { points, fill: "none", stroke: "currentColor", "stroke-width": 1.5 }),
    ),
    h("span", { "aria-hidden": "true" }, `finished to delivered: ${words}`),
  );
}
