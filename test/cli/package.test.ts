import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { ROOT } from "../demo/worker-process.ts";
import { blocksOf } from "../e2e/recipes.ts";
import { installPackage } from "./install.ts";

const importsOf = (folder: string): string[] =>
  readdirSync(join(ROOT, "src", folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => {
      const text = readFileSync(join(ROOT, "src", folder, file), "utf8");
      return [...text.matchAll(/^(?:import|export)\b[^;]*? from "([^"]+)";/gm)].map(
        ([, from]) => `${file}: ${from}`,
      );
    });

it("has a client that imports nothing but its own files and one that is pure", () => {
  const foreign = importsOf("client").filter((line) => !/: \.\/[a-z-]+\.ts$/.test(line));
  expect(foreign).toEqual(["transport.ts: ../net/retry-after.ts"]);
});

it("has a Worker that imports neither the client nor the command line", () => {
  const lines = importsOf(".").filter((line) => !/^(client|cli)\//.test(line));
  expect(lines.length).toBeGreaterThan(100);
  expect(lines.filter((line) => /\/(client|cli)\//.test(line))).toEqual([]);
});

it("asks whoever installs it for what its command line imports, and for nothing else", () => {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  // Not packed: it mints with the Worker's own code.
  const imports = importsOf("cli").filter((line) => !line.startsWith("token.ts"));
  const foreign = imports
    .map((line) => line.split(": ", 2)[1] ?? "")
    .filter((from) => !/^(\.|node:)/.test(from));
  expect([...new Set(foreign)]).toEqual(Object.keys(dependencies));
});

it("runs where it is installed", async () => {
  const { bin, folder, remove } = await installPackage();
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [bin, "--help"], { cwd: folder });
    expect(stdout).toMatch(/^Usage: pollhook COMMAND/);
    const made =
      "const { PollhookClient } = await import('pollhook/client'); console.log(typeof PollhookClient)";
    const script = ["--input-type=module", "--eval", made];
    expect((await promisify(execFile)(process.execPath, script, { cwd: folder })).stdout).toBe("function\n");
  } finally {
    await remove();
  }
});

it("has examples in the README that compile as they stand, strictly", async () => {
  const { folder, remove } = await installPackage();
  try {
    const files = blocksOf("Client", "ts", 2).map((text, index) => ({ file: `example${index}.mts`, text }));
    for (const { file, text } of files) await writeFile(join(folder, file), text);
    const modules = join(ROOT, "node_modules");
    const how = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess"];
    const where = ["--target", "es2022", "--module", "nodenext", "--typeRoots", join(modules, "@types")];
    const argv = [...how, ...where, "--types", "node", "--skipLibCheck", ...files.map(({ file }) => file)];
    const tsc = join(modules, "typescript", "bin", "tsc");
    const compiled = promisify(execFile)(process.execPath, [tsc, ...argv], { cwd: folder });
    expect(await compiled.catch(({ stdout }: { stdout: string }) => ({ stdout }))).toMatchObject({
      stdout: "",
    });
  } finally {
    await remove();
  }
});
