/**
 * The command line against the Worker in its own process; once as a process itself, as it is installed.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pollhook, type Surroundings } from "../cli/io.ts";
import { ROOT } from "../demo/worker-process.ts";
import { startReceiver } from "../simulator/receiver.ts";
import { Setting } from "./setting.ts";

let setting: Setting;
let env: Record<string, string>;

beforeAll(async () => {
  setting = await Setting.create();
  await setting.start();
  setting.receiver.setSecrets([]);
  env = { POLLHOOK_URL: setting.worker.origin, POLLHOOK_TOKEN: setting.token };
}, 90_000);
afterAll(() => setting.tearDown());

let lastId = 900;

/** Queues a request with the provider. */
function queued(readyAfterMs = 0): string {
  const id = ++lastId;
  setting.provider.add({ endpoint: "v3", id, readyAfterMs });
  return String(id);
}

const ran = (argv: readonly string[], more: Surroundings = {}) => pollhook(argv, { env, ...more });

async function registered(...more: string[]): Promise<string> {
  const { code, out, err } = await ran(["register", "--json", "--eta", "1", ...more]);
  expect([code, err]).toEqual([0, []]);
  return JSON.parse(out[0] ?? "").id;
}

describe("register, wait, job, redeliver", () => {
  let id: string;

  it("registers with everything that can be said", async () => {
    const hook = `${setting.receiver.origin}/hook/cli`;
    const argv = [
      "--request-id",
      queued(),
      "--callback-url",
      hook,
      "--metadata",
      '{"user":7}',
      "--index",
      "user",
    ];
    id = await registered(...argv, "--endpoint", "v3", "--deadline", "60", "--format", "standard");
    expect(await setting.job(id)).toMatchObject({ metadata: { user: 7 }, callback_url: hook, eta: 1 });
  });

  it("waits until it is over and ends with 0", async () => {
    const { code, out } = await ran(["wait", id, "--until", "over", "--timeout", "60"]);
    expect(code).toBe(0);
    expect(out[0]).toMatch(new RegExp(`^${id} {2}delivered {4}succeeded {2}v3 9\\d\\d {2}`));
  });

  it("shows the job with its timeline", async () => {
    const { code, out } = await ran(["job", id]);
    expect(code).toBe(0);
    expect(out.join("\n")).toMatch(/ {2}\d\d:\d\d:\d\d {2}attempt {3}delivered, 204, \d+ ms/);
  });

  it("finds it in the list", async () => {
    const { out } = await ran(["list", "--metadata", "user=7", "--status", "delivered", "--json"]);
    expect(out.map((line) => JSON.parse(line).id)).toEqual([id]);
  });

  it("delivers it again, elsewhere", async () => {
    const { code } = await ran([
      "redeliver",
      id,
      "--callback-url",
      `${setting.receiver.origin}/hook/cli-again`,
    ]);
    expect(code).toBe(0);
    await setting.receiver.waitForCount("/hook/cli-again", 1);
  });
});

it("registers from a provider's answer that it reads", async () => {
  const answer = `{"status":"processing","id":${queued(60_000)},"eta":60}`;
  const { code, out } = await ran(["register", "--response", "-", "--endpoint", "v3"], {
    files: { "-": answer },
  });
  expect([code, out[0]]).toEqual([0, expect.stringContaining("waiting")]);
});

it("lists as many as it is told to", async () => {
  for (let i = 0; i < 3; i++) await registered("--request-id", queued(60_000), "--endpoint", "v6/video");
  const listed = async (...argv: string[]) =>
    (await ran(["list", "--endpoint", "v6/video", ...argv])).out.length;
  expect([await listed("--count", "2"), await listed(), await listed("--all")]).toEqual([2, 3, 3]);
});

describe("watch", () => {
  it("prints what happens as it happens, with a bar on a terminal, and ends with 0", async () => {
    const id = await registered("--request-id", queued(2_000));
    const { code, out, shown } = await ran(["watch", id], { isTerminal: true });
    expect(code).toBe(0);
    expect(out.at(-1)).toBe("done: finished");
    expect(out).toContain("outcome: succeeded");
    expect(shown[0]).toMatch(/^\[[#.]{24}\] \d+ s( of about 1 s|, \d+ s longer than the eta of 1 s)$/);
    expect(shown.at(-1)).toBe("");
  });

  it("prints JSON lines, and ends with 1 when a job was canceled", async () => {
    const id = await registered("--request-id", queued(60_000));
    expect((await ran(["cancel", id])).out[0]).toContain("canceled");
    const { code, out } = await ran(["watch", id, "--json"]);
    expect([code, out.map((line) => JSON.parse(line).type)]).toEqual([1, ["outcome", "done"]]);
  });
});

describe("destinations", () => {
  it("are put, tested, rotated, paused, resumed, listed and deleted", async () => {
    const url = `${setting.receiver.origin}/hook/cli-app`;
    const put = await ran([
      "destinations",
      "put",
      "app",
      "--url",
      url,
      "--header",
      "x-mine: 1",
      "--retry-schedule",
      "5,60",
    ]);
    expect(put).toMatchObject({
      code: 0,
      out: [expect.stringContaining("app  active"), expect.stringMatching(/whsec_/)],
    });
    expect(await ran(["destinations", "test", "app"])).toMatchObject({ code: 0, out: ["delivered (204)"] });
    expect(setting.receiver.deliveries("/hook/cli-app")[0]?.headers).toMatchObject({ "x-mine": "1" });
    const rotated = await ran(["destinations", "rotate", "app", "--overlap", "60"]);
    expect(rotated.out).toEqual([expect.stringMatching(/^whsec_/)]);
    expect((await ran(["destinations", "pause", "app"])).out[0]).toContain("paused");
    expect((await ran(["destinations", "resume", "app"])).out[0]).toContain("active");
    const [listed] = (await ran(["destinations", "list", "--json"])).out;
    expect(JSON.parse(listed ?? "")).toMatchObject({ name: "app", retry_schedule: [5, 60] });
    expect(await ran(["destinations", "delete", "app"])).toMatchObject({ code: 0, out: [] });
    expect(await ran(["destinations", "test", "app"])).toMatchObject({ code: 1 });
  });
});

it("listens: what would have been called back arrives at a local server, signed as ever", async () => {
  const { secret } = (await (await setting.call("GET", "/v1/signing-secret")).json()) as { secret: string };
  // It verifies with the Standard Webhooks library.
  const local = await startReceiver({ secret });
  try {
    const files: Record<string, string> = {};
    const argv = ["listen", "--forward", local.hookUrl(), "--cursor-file", "here", "--json"];
    const first = ran([...argv, "--limit", "1"], { files });
    await expect.poll(() => files.here).toBeDefined();
    const id = await registered("--request-id", queued(), "--metadata", '{"name":"ü"}');
    expect(await first).toMatchObject({ code: 0, err: [] });
    const [delivery] = await local.waitForCount("/hook", 1);
    expect(delivery).toMatchObject({ verified: true, status: 204 });
    expect(JSON.parse(delivery?.body ?? "").data).toMatchObject({ job_id: id, metadata: { name: "ü" } });
    // What comes while nobody listens comes when somebody does.
    const later = await registered("--request-id", queued());
    await ran(["wait", later, "--until", "over"]);
    const { out } = await ran([...argv, "--limit", "1"], { files });
    expect(out.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ job_id: later, type: "job.succeeded", http_status: 204, tries: 1 }),
      { next_cursor: files.here?.trim() },
    ]);
    expect(await ran(["listen", "--after", "nonsense"])).toMatchObject({
      code: 1,
      err: [expect.stringContaining("invalid_value")],
    });
  } finally {
    await local.close();
  }
});

it("ends with 1 and the problem when the server refuses", async () => {
  expect(await ran(["job", "job_1"])).toMatchObject({
    code: 1,
    out: [],
    err: ["pollhook: There is no such job. (not_found)"],
  });
  const { code, err } = await ran(["register", "--request-id", "a b", "--json"]);
  expect([code, JSON.parse(err[0] ?? "")]).toEqual([
    1,
    expect.objectContaining({ code: "invalid_value", field: "request_id" }),
  ]);
});

it("runs as a process, with exit codes that scripts can use", async () => {
  const main = join(ROOT, "src", "cli", "main.ts");
  const runs = (...argv: string[]) =>
    promisify(execFile)(process.execPath, [main, ...argv], { env: { ...process.env, ...env } }).then(
      ({ stdout }) => ({ code: 0, stdout }),
      ({ code, stderr }: { code: number; stderr: string }) => ({ code, stderr }),
    );
  const id = await registered("--request-id", queued());
  expect(JSON.parse(((await runs("wait", id, "--json")) as { stdout: string }).stdout)).toMatchObject({ id });
  expect(await runs("job", "job_1")).toMatchObject({ code: 1, stderr: expect.stringContaining("not_found") });
  expect(await runs("job")).toMatchObject({ code: 2, stderr: expect.stringContaining("Usage:") });
  expect(await runs("verify", "/does/not/exist")).toMatchObject({ code: 2 });
});
