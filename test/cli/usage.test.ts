import { describe, expect, it } from "vitest";
import { pollhook } from "./io.ts";

const COMMANDS = [
  ["register"],
  ["job"],
  ["wait"],
  ["watch"],
  ["list"],
  ["redeliver"],
  ["cancel"],
  ["listen"],
  ["token"],
  ["verify"],
  ...["list", "put", "test", "rotate", "pause", "resume", "delete"].map((sub) => ["destinations", sub]),
];

it.each([["--help"], ["-h"], ["help"]])("lists every command with %s", async (word) => {
  const { code, out } = await pollhook([word]);
  expect(code).toBe(0);
  for (const words of COMMANDS) expect(out.join("\n")).toContain(`\n  ${words.join(" ")}`);
});

it("says how it is used, and ends with 2, without a command", async () => {
  expect(await pollhook([])).toMatchObject({
    code: 2,
    out: [],
    err: [expect.stringContaining("Usage: pollhook COMMAND")],
  });
});

it.each(COMMANDS.map((words) => [words]))(
  "explains %j, with an example, and needs no server for it",
  async (words) => {
    const { code, out, err } = await pollhook([...words, "--help"]);
    expect([code, err]).toEqual([0, []]);
    const [help = ""] = out;
    expect(help).toContain(`Usage: pollhook ${words.join(" ")}`);
    expect(help).toMatch(/\n {2}--json .*\n {2}-h, --help .*\n\nExamples?:\n {2}/);
  },
);

it("explains a command that help is asked about", async () => {
  const [{ out }, asked] = [await pollhook(["list", "--help"]), await pollhook(["help", "list"])];
  expect(asked).toMatchObject({ code: 0, out });
});

it("says it in a line where JSON is asked for", async () => {
  const { code, out, err } = await pollhook(["--json"]);
  expect([code, out, err.length]).toEqual([2, [], 1]);
  expect(JSON.parse(err[0] ?? "")).toMatchObject({
    code: "usage",
    detail: expect.stringMatching(/^A command is missing/),
  });
});

it("lists the commands of destinations", async () => {
  expect(await pollhook(["destinations", "--help"])).toMatchObject({ code: 0 });
  expect(await pollhook(["destinations"])).toMatchObject({ code: 2, out: [] });
});

it("prints its version", async () => {
  expect(await pollhook(["--version"])).toMatchObject({
    code: 0,
    out: [expect.stringMatching(/^\d+\.\d+\.\d+$/)],
  });
});

it("says as JSON what makes no sense, where JSON was asked for", async () => {
  const { code, out, err } = await pollhook(["job", "--json"]);
  expect([code, out, err.length]).toEqual([2, [], 1]);
  expect(JSON.parse(err[0] ?? "")).toEqual({
    code: "usage",
    status: null,
    field: null,
    detail: expect.stringContaining("missing required argument 'ID'"),
  });
});

describe("a call that makes no sense ends with 2 and says why", () => {
  const env = { POLLHOOK_URL: "https://pollhook.example", POLLHOOK_TOKEN: "t" };
  it.each([
    [["fly"], "unknown command 'fly'"],
    [["constructor"], "unknown command 'constructor'"],
    [["lst"], "(Did you mean list?)"],
    [["dest"], "(Did you mean destinations?)"],
    [["re"], "(Did you mean register or redeliver?)"],
    [["wiat"], "(Did you mean wait?)"],
    [["destinations", "tset"], "(Did you mean test?)"],
    [["job"], "Usage: pollhook job ID"],
    [["job", "a", "b"], "Usage: pollhook job ID"],
    [["job", "a", "--fast"], "--fast"],
    [["list", "--stats", "lost"], "(Did you mean --status?)"],
    [["destinations", "fly"], "unknown command 'fly'"],
    [["wait", "a", "--until", "noon"], "It must be outcome or over."],
    [["wait", "a", "--timeout", "long"], "It must be a number."],
    [["register"], "Name the request"],
    [["register", "--callback-url", "https://your-app.example.com"], "Name the request"],
    [["register", "--request-id", "1", "--metadata", "7"], "--metadata must be a JSON object"],
    [["register", "--request-id", "1", "--metadata", "[1]"], "--metadata must be a JSON object"],
    [["register", "--request-id", "1", "--metadata", "null"], "--metadata must be a JSON object"],
    [["register", "--request-id", "1", "--metadata", "{"], "--metadata must be a JSON object"],
    [["list", "--status", "lost"], "It must be waiting, delivering,"],
    [["list", "--count", "0"], "--count must be a whole number, at least 1"],
    [["list", "--count", "1.5"], "--count must be a whole number, at least 1"],
    [["list", "--count", "1.5", "--all"], "--count must be a whole number, at least 1"],
    [["list", "--metadata", "user"], "NAME=VALUE"],
    [["token", "--scope", "jobs:read"], "'--expires-in <SECONDS>' not specified"],
    [["destinations", "put", "app"], "'--url <URL>' not specified"],
    [["destinations", "put", "app", "--url", "u", "--header", "x"], "NAME: VALUE"],
    [["destinations", "put", "app", "--url", "u", "--own-secret"], "POLLHOOK_SECRET"],
    [["destinations", "put", "app", "--url", "u", "--retry-schedule", "5,x"], "numbers of seconds"],
    [["destinations", "rotate", "app", "--own-secret"], "POLLHOOK_SECRET"],
    [["listen", "--forward", "localhost:3000"], "--forward must be a URL"],
    [["listen", "--forward", "ftp://localhost/"], "--forward must be a URL"],
    [["listen", "--all", "--after", "latest"], "--all and --after"],
    [["listen", "--limit", "0"], "--limit must be a whole number, at least 1"],
    [["listen", "--retries", "1.5"], "--retries must be a whole number, at least 0"],
    [["verify", "-"], "POLLHOOK_SECRET"],
  ])("%j", async (argv, text) => {
    const { code, out, err } = await pollhook(argv, { env });
    expect([code, out]).toEqual([2, []]);
    expect(err.join("\n")).toContain(text);
  });

  it.each([["fly"], ["jest"], ["xx"], ["d"]])(
    "%s, which is like no command, without a suggestion",
    async (word) => {
      const { code, err } = await pollhook([word], { env });
      expect([code, err.join("\n")]).toEqual([2, expect.not.stringContaining("Did you mean")]);
    },
  );

  it.each([
    [{}, "Set POLLHOOK_URL"],
    [
      { POLLHOOK_URL: "pollhook.example", POLLHOOK_TOKEN: "t" },
      "POLLHOOK_URL is no URL (https://…): pollhook.example",
    ],
    [{ POLLHOOK_URL: "https://pollhook.example" }, "Set POLLHOOK_TOKEN"],
    [{ POLLHOOK_URL: "https://a b", POLLHOOK_TOKEN: "t" }, "is wrong: The url"],
    [{ POLLHOOK_URL: "https://pollhook.example", POLLHOOK_TOKEN: "t\n" }, "is wrong: The token"],
  ])("with %j in the environment", async (env, text) => {
    const { code, err } = await pollhook(["job", "job_1"], { env });
    expect([code, err.join("\n")]).toEqual([2, expect.stringContaining(text)]);
  });
});
