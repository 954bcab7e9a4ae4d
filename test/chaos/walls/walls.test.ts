/** The network's wall in small: the main hosts of the loopback, and two private addresses. */
import { expect, it } from "vitest";
import { attackWalls } from "./attack.ts";
import { wallFaults } from "./section.ts";

it("lets nothing on the loopback or in a private network be reached, and tries again as after any network error", async () => {
  const result = await attackWalls({
    loopback: ["127.0.0.1", "[::1]", "localhost", "[::ffff:127.0.0.1]"],
    elsewhere: ["10.0.0.1", "169.254.169.254"],
  });
  expect(wallFaults(result)).toEqual([]);
  expect(result.loopback.length).toBeGreaterThanOrEqual(4);
  expect(result.elsewhere).toHaveLength(2);
}, 300_000);
