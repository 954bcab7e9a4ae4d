/** The short form of `npm run chaos -- --only targets`. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PollhookNode } from "../node.ts";
import { tryChanges } from "./changes.ts";
import { tryRedirects, WAYS } from "./redirects.ts";

/** Of the answers that lead elsewhere. */
const EVERY = 9;

let node: PollhookNode;
beforeAll(async () => {
  node = await PollhookNode.create({ vars: {}, allow: ["private"] });
}, 120_000);
afterAll(() => node.tearDown());

describe("where Pollhook calls", () => {
  it("is never where an answer leads", async () => {
    const start = (origin: string) => node.start({ PROVIDER_ORIGINS: origin });
    const { answers, exchanges, followed, complaints } = await tryRedirects(node, start, EVERY);
    expect(complaints).toEqual([]);
    expect(followed).toBe(0);
    expect(answers).toBeGreaterThan(2);
    expect(exchanges).toBe(answers * Object.keys(WAYS).length);
  });

  it("follows the destination as it is, and nothing that is refused, while attempts are under way", async () => {
    const { checks, complaints } = await tryChanges(node, { restarts: false });
    expect(complaints).toEqual([]);
    expect(checks).toBeGreaterThan(30);
  });
});
