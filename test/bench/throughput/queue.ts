/**
 * BullMQ with a Redis server of its own, which makes every write durable before it answers.
 */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, ProcessGroup } from "../../demo/process-group.ts";
import type { Running } from "./subjects.ts";

/** A Redis server with an empty folder, and the process that hosts the queue. */
export async function startQueue(folder: string, providerOrigin: string): Promise<Running> {
  const program = redisProgram();
  if (program === null) throw new Error("There is no redis-server on the PATH.");
  const disk = join(folder, "redis");
  await mkdir(disk);
  const [redisPort, port] = [await freePort(), await freePort()];
  const durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""];
  const redis = new ProcessGroup({
    name: "redis-server",
    file: program,
    args: ["--bind", "127.0.0.1", "--port", `${redisPort}`, "--dir", disk, ...durable],
  });
  const server = new ProcessGroup({
    name: "the queue's process",
    file: process.execPath,
    args: [fileURLToPath(new URL("bullmq.ts", import.meta.url))],
    env: {
      ...process.env,
      REDIS_PORT: `${redisPort}`,
      PORT: `${port}`,
      PROVIDER_ORIGINS: providerOrigin,
    },
  });
  const stop = async () => {
    await server.stop();
    await redis.stop();
  };
  const origin = `http://127.0.0.1:${port}`;
  try {
    await server.healthy(origin);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `${origin}/v1/jobs`,
    token: "",
    secret: null,
    disk,
    pids: () => [redis.pid, server.pid],
    stop,
  };
}

/** Whether both the server and the library are there. */
export const canRunQueue = (): boolean => redisProgram() !== null && isInstalled("bullmq");

function isInstalled(name: string): boolean {
  try {
    return createRequire(import.meta.url).resolve(name) !== "";
  } catch {
    return false;
  }
}

function redisProgram(): string | null {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.map((folder) => join(folder, "redis-server")).find((path) => existsSync(path)) ?? null;
}
