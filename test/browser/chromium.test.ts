/**
 * What the other tests in a browser stand on: that it comes whole out of its package, asks the machine for nothing that
 * Node does not ask for, and is gone when it is closed, and when nobody is left who could close it. Only where that
 * browser is used.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ROOT } from "../demo/worker-process.ts";
import { IS_BUNDLED, launchChromium, pidsOf, unpacked } from "./chromium.ts";

const GONE_LIMIT_MS = 30_000;
/** The C library in its parts, and the compiler's own, which Node is linked with, too. */
const OF_NODE = /^(ld-linux-x86-64|lib(c|m|dl|pthread|rt|gcc_s|stdc\+\+))\.so\.\d$/;

/** A process that has ended is listed until someone asks how: that one is gone. */
function isRunning(pid: number): boolean {
  try {
    return !/\) [ZX] \d/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "pollhook-chromium-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const areGone = (pids: readonly number[]) =>
  vi.waitFor(() => expect(pids.filter(isRunning)).toEqual([]), GONE_LIMIT_MS);

describe.runIf(IS_BUNDLED)("the bundled Chromium", () => {
  it("is unpacked whole, and once, by whoever is first", async () => {
    const cache = temporaryFolder();
    const places = await Promise.all([unpacked(cache), unpacked(cache)]);
    expect(new Set(places).size).toBe(1);
    expect(readdirSync(cache)).toEqual([basename(await unpacked(cache))]);
  });

  it("needs no library of the machine that Node does not need, and goes when it is closed", async () => {
    const browser = await launchChromium();
    onTestFinished(() => browser.close());
    await browser.newPage();
    const pids = await pidsOf(browser);
    expect(pids.length).toBeGreaterThan(2);
    const files = pids.flatMap((pid) => [
      ...readFileSync(`/proc/${pid}/maps`, "utf8").matchAll(/\/\S+\.so\b\S*/g),
    ]);
    const folder = await unpacked();
    const paths = [...new Set(files.map(([path]) => path))];
    expect(paths).toContain(join(folder, "al2023", "lib", "libnss3.so"));
    const ofTheMachine = paths.filter((path) => !path.startsWith(folder));
    expect(ofTheMachine.filter((path) => !OF_NODE.test(basename(path)))).toEqual([]);
    await browser.close();
    await areGone(pids);
  });

  it("writes with its own font", async () => {
    const browser = await launchChromium();
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    await page.setContent("<p>Text</p>");
    const session = await page.context().newCDPSession(page);
    await session.send("DOM.enable");
    await session.send("CSS.enable");
    const { root } = await session.send("DOM.getDocument");
    const { nodeId } = await session.send("DOM.querySelector", { nodeId: root.nodeId, selector: "p" });
    const { fonts } = await session.send("CSS.getPlatformFontsForNode", { nodeId });
    expect(fonts.map(({ familyName }) => familyName)).toEqual(["Open Sans"]);
  });

  it("goes when the process that has launched it is killed", async () => {
    const script = `
      import { launchChromium, pidsOf } from "./test/browser/chromium.ts";
      const browser = await launchChromium();
      await browser.newPage();
      console.log(JSON.stringify(await pidsOf(browser)));`;
    // What it leaves behind, killed, is removed with the folder.
    const env = { ...process.env, TMPDIR: temporaryFolder() };
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { cwd: ROOT, env });
    onTestFinished(() => void child.kill("SIGKILL"));
    let pids: number[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      pids = JSON.parse(line) as number[];
      break;
    }
    expect(pids.length).toBeGreaterThan(2);
    expect(pids.every(isRunning)).toBe(true);
    child.kill("SIGKILL");
    await areGone(pids);
  });
});
