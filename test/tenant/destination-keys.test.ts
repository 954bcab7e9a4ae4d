import { reset, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  callUnder,
  dumpOf,
  get,
  inputOf,
  NEW_KEY,
  OLD_KEY,
  opened,
  put,
  tenantOf,
  under,
} from "../support/destinations.ts";
import { HOUR } from "../support/jobs.ts";

afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

const BOTH = `${NEW_KEY},${OLD_KEY}`;
const SECRET = `whsec_${btoa("PlantedSecretPlantedSecret")}`;
const HEADER = "PlantedHeader-77";
const TOKEN = "PlantedInUrl-31";

/** Which master key each is sealed under. */
const kids = () =>
  runInDurableObject(tenantOf(), (_, { storage }) =>
    [...storage.sql.exec("SELECT sealed FROM destinations ORDER BY name")].map(
      ({ sealed }) => String(sealed).split(".")[0],
    ),
  );

describe("what the tenant's object keeps of a destination", () => {
  it("shows neither its path nor a header's value nor a secret, in any spelling", async () => {
    const url = `https://example.com/${TOKEN}?key=${TOKEN}`;
    await put("a", { url, headers: { "x-key": HEADER }, secret: SECRET });
    await tenantOf().rotateSecret("a", HOUR);
    const { secret } = await opened("a");
    const dump = await dumpOf();
    expect(dump).toContain("example.com");
    expect(dump).toContain("x-key");
    for (const text of ["Planted", SECRET, secret, ...[SECRET, secret].map((text) => atob(text.slice(6)))])
      for (const shift of ["", "x", "xx"])
        for (const trace of [text, btoa(shift + text).slice(4, -4)]) expect(dump).not.toContain(trace);
  });

  it("cannot be opened for another name or another tenant", async () => {
    await put("a");
    const row = await tenantOf().findDestination("a");
    await runInDurableObject(tenantOf(), (_, { storage }) => {
      storage.sql.exec("UPDATE destinations SET name = 'b'");
    });
    expect((await get("b")).body).toMatchObject({ status: "unreadable", url: null });
    expect(row?.sealed).toBe((await tenantOf().findDestination("b"))?.sealed);
  });
});

describe("a master key that is rotated", () => {
  it.each<[string, () => Promise<unknown>]>([
    ["is looked at", () => callUnder(BOTH, "GET", "/v1/destinations/a")],
    ["is listed", () => callUnder(BOTH, "GET", "/v1/destinations")],
    ["is read by a job", () => under(BOTH, (tenant) => tenant.destination("a"))],
    ["is replaced", () => callUnder(BOTH, "PUT", "/v1/destinations/a", { url: "https://example.com/hook" })],
    ["gets a new secret", () => callUnder(BOTH, "POST", "/v1/destinations/a/rotate-secret")],
    ["is tested", () => callUnder(BOTH, "POST", "/v1/destinations/a/test")],
    ["is left alone for a day", () => under(BOTH, (tenant) => tenant.alarm())],
  ])("may go once the destination %s", async (_, touch) => {
    const made = await put("a", { headers: { "x-key": HEADER } });
    const before = (await get("a")).body;
    expect(await kids()).toEqual(["k1"]);
    await touch();
    expect(await kids()).toEqual(["k2"]);
    const after = (await callUnder(NEW_KEY, "GET", "/v1/destinations/a")).body;
    expect(after).toMatchObject({
      url: "https://example.com/hook",
      status: "active",
      header_names: ["x-key"],
    });
    expect(after.created_at).toBe(before.created_at);
    expect((await callUnder(NEW_KEY, "POST", "/v1/destinations/a/rotate-secret")).body.secret).not.toBe(
      made.body.secret,
    );
  });

  it("takes neither headers nor secrets with it", async () => {
    await put("a", { headers: { "x-key": HEADER }, secret: SECRET });
    await tenantOf().rotateSecret("a", HOUR);
    const before = await opened("a");
    await under(BOTH, (tenant) => tenant.alarm());
    await under(`${OLD_KEY},${NEW_KEY}`, (tenant) => tenant.findDestination("a"));
    expect(await kids()).toEqual(["k1"]);
    expect(await opened("a")).toEqual(before);
  });

  it("is followed by all of many at the daily look", async () => {
    await Promise.all(Array.from({ length: 120 }, (_, n) => tenantOf().putDestination(`d${n}`, inputOf())));
    await under(BOTH, (tenant) => tenant.alarm());
    expect(new Set(await kids())).toEqual(new Set(["k2"]));
  });
});

describe("the daily look", () => {
  it("erases a secret whose overlap is over, and changes nothing else", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    await put("a");
    await tenantOf().rotateSecret("a", HOUR);
    const [before, row] = [await opened("a"), await tenantOf().findDestination("a")];
    await under(OLD_KEY, (tenant) => tenant.alarm());
    expect(await tenantOf().findDestination("a")).toEqual(row);
    vi.setSystemTime(Date.now() + 25 * HOUR);
    await under(OLD_KEY, (tenant) => tenant.alarm());
    expect(await opened("a")).toEqual({ ...before, previous: [] });
    const after = await tenantOf().findDestination("a");
    expect({ ...after, sealed: "" }).toEqual({ ...row, sealed: "", previousUntil: null });
  });

  it("does no harm while the configuration cannot be used", async () => {
    await put("a");
    const before = await opened("a");
    await under("", (tenant) => tenant.alarm());
    expect(await opened("a")).toEqual(before);
  });
});

describe("a destination whose master key is gone", () => {
  const gone = (method: string, path: string, body?: unknown) =>
    callUnder(NEW_KEY, method, `/v1/destinations/a${path}`, body);

  it("is shown as unreadable, and can be paused and deleted, but neither rotated nor tested", async () => {
    await put("a", { headers: { "x-key": HEADER } });
    expect((await gone("GET", "")).body).toMatchObject({
      name: "a",
      url: null,
      host: "example.com",
      header_names: ["x-key"],
      status: "unreadable",
    });
    for (const action of ["/rotate-secret", "/test"]) {
      const { status, body } = await gone("POST", action);
      expect([status, body.code]).toEqual([409, "destination_unreadable"]);
    }
    expect((await gone("POST", "/pause")).body).toMatchObject({ status: "unreadable" });
    expect(await kids()).toEqual(["k1"]);
    expect((await get("a")).body).toMatchObject({ status: "paused" });
    expect((await gone("DELETE", "")).status).toBe(204);
  });

  it("starts anew with a PUT: no headers, and a secret that is shown, where none are given", async () => {
    await put("a", { headers: { "x-key": HEADER }, secret: SECRET });
    const anew = await gone("PUT", "", { url: "https://example.com/new" });
    expect([anew.status, anew.body.header_names, anew.body.status]).toEqual([200, [], "active"]);
    expect(anew.body.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(await kids()).toEqual(["k2"]);
  });

  it("takes what a PUT brings", async () => {
    await put("a");
    const body = { url: "https://example.com/new", headers: { "x-new": "1" }, secret: SECRET };
    const anew = await gone("PUT", "", body);
    expect(anew.body).toMatchObject({ header_names: ["x-new"], secret: SECRET });
  });
});
