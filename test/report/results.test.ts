/** results.md, put together of parts that did not all run. */
import { expect, it } from "vitest";
import { markdownTable } from "./markdown.ts";
import { withParts } from "./results.ts";

const HEAD = "# Results";
const PARTS = ["schedule", "cost"];
const ran = (...names: readonly string[]) =>
  new Map(
    names.map((name) => {
      const section = { title: `The ${name}`, body: `figures of ${name}`, plots: [] };
      return [name, { section, setting: `today, ${name}` }] as const;
    }),
  );

it("has the parts in their order, whichever ran first, each with its setting", () => {
  const text = withParts(HEAD, withParts(HEAD, "", PARTS, ran("cost")), PARTS, ran("schedule"));
  expect(text.startsWith(HEAD)).toBe(true);
  expect(text.match(/^## .*$/gm)).toEqual(["## The schedule", "## The cost"]);
  expect(text).toBe(withParts(HEAD, "", PARTS, ran("schedule", "cost")));
  expect(text).toContain("## The cost\n\ntoday, cost\n\nfigures of cost\n");
});

it("replaces a part that runs again, and leaves the others as they are", () => {
  const before = withParts(HEAD, "", PARTS, ran("schedule", "cost"));
  const edited = before.replace("figures of cost", "other figures");
  expect(withParts(HEAD, edited, PARTS, ran("schedule"))).toBe(edited);
  expect(withParts(HEAD, edited, PARTS, ran("cost"))).toBe(before);
});

it("has tables whose cells cannot end early", () => {
  expect(
    markdownTable([
      ["a", "b"],
      ["x | y", 1],
    ]),
  ).toBe("| a | b |\n| --- | ---: |\n| x \\| y | 1 |");
});
