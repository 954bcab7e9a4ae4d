/** The simulator as a process of its own: that Node runs its TypeScript as it is, and that it ends when told. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { post, until } from "./test-client.ts";

const CLI = new URL("./cli.ts", import.meta.url).pathname;

/** Runs it with the Node that came with the project, whichever one is running the tests. */
function start(...args: string[]) {
  const node = new URL("../../node_modules/.bin/node", import.meta.url).pathname;
  const child = spawn(node, [CLI, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const output = { text: "" };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output.text += chunk.toString();
    });
  }
  return { child, output, exit: once(child, "close") };
}

describe("the command line", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "serves and logs until %s, also with a connection that hangs",
    async (signal) => {
      const { child, output, exit } = start("--key", "my-key");
      const origin = (name: string) => new RegExp(`${name} +(http://127.0.0.1:\\d+)`).exec(output.text)?.[1];
      await until(() => output.text.includes("/_sim/deliveries"));
      const [provider, receiver] = [origin("Provider"), origin("Receiver")];

      expect((await post(`${provider}/api/v3/fetch/12202888`, { key: "my-key" })).json).toMatchObject({
        status: "processing",
      });
      expect((await post(`${receiver}/hook/a`, "{}")).status).toBe(204);
      await post(`${receiver}/_sim/program`, { path: "/hook/a", steps: [{ kind: "hang" }] });
      const hanging = expect(post(`${receiver}/hook/a`, "{}")).rejects.toThrow("fetch failed");
      await until(() => output.text.includes("no answer"));

      child.kill(signal);
      expect(await exit).toEqual([0, null]);
      await hanging;
      expect(output.text).toContain("provider  POST /api/v3/fetch/12202888 -> 200");
      expect(output.text).toContain("receiver  POST /hook/a -> 204 (not verified: no secret configured)");
    },
  );

  it("shows its usage", async () => {
    const { output, exit } = start("--help");
    expect(await exit).toEqual([0, null]);
    expect(output.text).toContain("--provider-port");
  });

  it.each([
    [["--provider-port", "x"], "--provider-port must be a port"],
    [["--receiver-port", "65536"], "--receiver-port must be a port"],
    [["--nonsense"], "--nonsense"],
  ])("refuses %j and says why", async (args, message) => {
    const { output, exit } = start(...args);
    expect(await exit).toEqual([2, null]);
    expect(output.text).toContain(message);
  });
});
