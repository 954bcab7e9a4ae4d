/** The short form of `npm run chaos -- --only tokens`: what needs a process that is started again. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { PollhookNode } from "../node.ts";
import { knockerOf } from "./knocker.ts";
import { tryReplays } from "./replays.ts";

let node: PollhookNode;
beforeAll(async () => {
  node = await PollhookNode.create({ vars: { PROVIDER_ORIGINS: "http://127.0.0.1:9" }, allow: ["private"] });
}, 120_000);
afterAll(() => node.tearDown());

it("ends with its time, its jti and its master key, however often it was used before", async () => {
  const { checks, complaints } = await tryReplays(node, (vars) => node.start(vars), knockerOf(node));
  expect(complaints).toEqual([]);
  expect(checks).toBeGreaterThan(60);
});
