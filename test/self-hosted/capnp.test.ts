/** The configuration's text. That workerd reads it, and strange texts arrive as they were, is proven on workerd itself. */
import { describe, expect, it } from "vitest";
import { type WorkerdConfig, workerdConfig } from "../../src/self-hosted/capnp.ts";

const config = (overrides: Partial<WorkerdConfig> = {}): string =>
  workerdConfig({
    address: "127.0.0.1:8787",
    modules: [
      { name: "main.js", kind: "esModule", path: "main.js" },
      { name: "site/a.html", kind: "data", path: "site/a.html" },
    ],
    compatibilityDate: "2026-10-20",
    compatibilityFlags: ["global_fetch_strictly_public"],
    objects: [
      { binding: "JOB", className: "Job", uniqueKey: "pollhook-Job" },
      { binding: "TENANT", className: "Tenant", uniqueKey: "pollhook-Tenant" },
    ],
    diskPath: "/srv/pollhook",
    vars: { JOB_SHARDS: "8", MASTER_KEYS: { fromEnvironment: "MASTER_KEYS" } },
    allow: ["public"],
    ...overrides,
  });

describe("workerd's configuration", () => {
  it("binds every class to durable storage with SQL, under its own key", () => {
    const text = config();
    expect(text).toContain('(className = "Job", uniqueKey = "pollhook-Job", enableSql = true)');
    expect(text).toContain('(className = "Tenant", uniqueKey = "pollhook-Tenant", enableSql = true)');
    expect(text).toContain('(name = "JOB", durableObjectNamespace = "Job")');
    expect(text).toContain('(name = "TENANT", durableObjectNamespace = "Tenant")');
    expect(text).toContain('(name = "data", disk = (path = "/srv/pollhook", writable = true))');
    expect(text).toContain('durableObjectStorage = (localDisk = "data")');
  });

  it("has the modules in their order, scripts as scripts and files as bytes", () => {
    expect(config()).toContain(`modules = [
    (name = "main.js", esModule = embed "main.js"),
    (name = "site/a.html", data = embed "site/a.html"),
  ]`);
  });

  it("calls the socket and the folder what operators say to replace them", () => {
    expect(config()).toContain('sockets = [(name = "http", address = "127.0.0.1:8787"');
    expect(config()).toContain('(name = "data", disk = ');
  });

  it("says variables, or where in the environment they stand", () => {
    const text = config();
    expect(text).toContain('(name = "JOB_SHARDS", text = "8")');
    expect(text).toContain('(name = "MASTER_KEYS", fromEnvironment = "MASTER_KEYS")');
  });

  it("lets the Worker reach what is allowed, and nothing else", () => {
    expect(config()).toContain('network = (allow = ["public"], ');
    expect(config({ allow: ["public", "10.0.0.0/8"] })).toContain('allow = ["public", "10.0.0.0/8"]');
  });

  it("escapes what would end a text, and every control character", () => {
    const text = config({ vars: { 'A"B': 'a"\\\n\t\x7fé' } });
    expect(text).toContain('(name = "A\\"B", text = "a\\"\\\\\\x0a\\x09\\x7fé")');
  });

  it("refuses a NUL, which no text there can hold", () => {
    expect(() => config({ diskPath: "/srv/\0" })).toThrow("NUL");
  });
});
