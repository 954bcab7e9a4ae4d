/** The table of forged and misused tokens, in this runtime. On a node, on all routes: `npm run chaos -- --only tokens`. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { attacks } from "../chaos/tokens/attacks.ts";
import { bearerDoors, type Knocker, keyDoors, tryDoors } from "../chaos/tokens/doors.ts";
import { tryRights } from "../chaos/tokens/rights.ts";
import { config, readJob, register, token } from "../support/api.ts";
import { callWith, objectCount } from "../support/http.ts";
import { ScriptedFetch } from "../support/scripted-fetch.ts";

const [master] = config.masterKeys;
const OLDER = { kid: "older", bytes: new Uint8Array(32).fill(9) };
const asText = ({ kid, bytes }: typeof OLDER) => `${kid}:${btoa(String.fromCharCode(...bytes))}`;
const VARS = { MASTER_KEYS: `${asText(master)},${asText(OLDER)}`, REVOKED_TOKENS: "gone" };
/** Of the doors for bearers, each attack tries the first ones. */
const DOORS = 2;

const knocker: Knocker = {
  async knock(method, path, auth, body) {
    const { status, headers, text } = await callWith(VARS, method, path, { auth, ...(body && { body }) });
    return { status, challenge: headers.get("www-authenticate"), text };
  },
};
/** Many calls in one test; a limit, never a measure. */
const LIMIT_MS = 120_000;

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => {
  expect(fetched.sent).toEqual([]);
  fetched.restore();
});

describe("a forged or misused token", { timeout: LIMIT_MS }, () => {
  it("opens nothing, is told what the API documents, and leaves no trace", async () => {
    const { body: job } = await register();
    const objects = await objectCount();
    const all = await attacks({ master, older: OLDER, tenant: "acme", revoked: "gone" });
    expect(all.length).toBeGreaterThanOrEqual(60);
    const { tried, opened, complaints } = await tryDoors(
      knocker,
      all,
      bearerDoors(job.id).slice(0, DOORS),
      keyDoors,
    );
    expect(complaints).toEqual([]);
    expect(opened).toBe(0);
    expect(tried).toBeGreaterThan(all.length * DOORS);
    expect(await objectCount()).toBe(objects);
    expect((await readJob(job.id)).body).toEqual(job);
  });

  it("does not get what its rights or its tenant are not for", async () => {
    const { body: job } = await register();
    const mint = (sub: string, claims: object) => token({ sub, ...claims }, master);
    const { opened, complaints } = await tryRights(knocker, mint, "acme", job.id);
    expect(complaints).toEqual([]);
    expect(opened).toBe(0);
    expect((await readJob(job.id)).body).toEqual(job);
  });
});
