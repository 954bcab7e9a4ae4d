import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { stub } from "./api.ts";
import { idOf } from "./http.ts";

// Without what setup.ts does about it this test passes, and the run never ends.
it("does not wait for an object that logs while its file comes to an end", async () => {
  const object = stub(await idOf("1"));
  const logging = runInDurableObject(object, async () => {
    for (let i = 0; i < 300; i++) {
      console.log("late");
      await scheduler.wait(1);
    }
  });
  // It ends with its object.
  logging.catch(() => {});
  await scheduler.wait(10);
  expect(await runInDurableObject(object, () => true)).toBe(true);
});
