import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judgeTarget, type TargetPolicy, targetPolicy } from "../../src/webhook/target.ts";

const PUBLIC: TargetPolicy = { allowPrivate: false, ownHosts: ["pollhook.example"] };
const PRIVATE_NAME = { ok: false, fault: "private_name" };
const OWN_HOST = { ok: false, fault: "own_host" };

const SUFFIXES = [
  "localhost",
  "local",
  "internal",
  "intranet",
  "private",
  "corp",
  "home",
  "lan",
  "test",
  "invalid",
  "onion",
  "alt",
  "arpa",
];

const judge = (host: string, policy = PUBLIC) => judgeTarget(`https://${host}/hook`, policy);

describe("host names", () => {
  it.each(SUFFIXES)("refuses everything under .%s", (suffix) => {
    const upper = suffix.toUpperCase();
    const spellings = [
      suffix,
      `${suffix}.`,
      upper,
      `a.${suffix}`,
      `a.b.${suffix}`,
      `A.${upper}`,
      `a.${suffix}.`,
    ];
    for (const host of spellings) expect.soft(judge(host), host).toEqual(PRIVATE_NAME);
  });

  it.each(SUFFIXES)("takes names that only contain or resemble %s", (suffix) => {
    for (const host of [`${suffix}.example.com`, `a.my${suffix}`, `a.${suffix}s`, `${suffix}.com`])
      expect.soft(judge(host), host).toMatchObject({ ok: true });
  });

  it.each(["intra", "com", "com.", "a", "xn--bcher-kva", "hook_receiver"])(
    "refuses the single label %j",
    (host) => {
      expect(judge(host)).toEqual(PRIVATE_NAME);
    },
  );

  it.each(["example.com..", "localhost..", "..", "a..example.com", ".example.com", "example..com."])(
    "refuses %j, which has an empty label",
    (host) => {
      expect(judge(host)).toEqual(PRIVATE_NAME);
    },
  );

  it.each([
    ["percent-encoded", "%6c%6F%63alhost"],
    ["in fullwidth letters", "\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54"],
    ["with a soft hyphen", "local\u00adhost"],
    ["with a zero-width space", "local\u200bhost"],
    ["with an ideographic full stop", "a\u3002local"],
    ["with a halfwidth full stop behind it", "localhost\uff61"],
  ])("refuses localhost or .local %s", (_, host) => {
    expect(judge(host)).toEqual(PRIVATE_NAME);
  });

  it.each(["example.com", "example.org", "a.example", "hook.EXAMPLE.net", "a-b.c_d.example.com"])(
    "takes the documentation name %s",
    (host) => {
      expect(judge(host)).toEqual({ ok: true, url: `https://${host.toLowerCase()}/hook` });
    },
  );

  it("keeps the one trailing dot of an absolute name", () => {
    expect(judge("example.com.")).toEqual({ ok: true, url: "https://example.com./hook" });
  });
});

describe("Pollhook's own host", () => {
  const policy = targetPolicy(
    { publicUrl: "https://Hooks.Example.com/base", allowPrivateTargets: false },
    "pollhook.acme.workers.dev",
  );

  it.each(["hooks.example.com", "pollhook.acme.workers.dev"])("refuses %s, however it is written", (host) => {
    for (const spelled of [
      host,
      host.toUpperCase(),
      `${host}.`,
      `${host}:443`,
      `${host}:8443`,
      `${host}.:8443`,
    ])
      expect.soft(judge(spelled, policy), spelled).toEqual(OWN_HOST);
    expect(judge(encodeURIComponent(host).replace("h", "%68"), policy)).toEqual(OWN_HOST);
  });

  it("takes its neighbours", () => {
    for (const host of ["example.com", "a.hooks.example.com", "other.acme.workers.dev"])
      expect.soft(judge(host, policy), host).toMatchObject({ ok: true });
  });

  it("is known by the registration's host alone where PUBLIC_URL is not set", () => {
    const unset = targetPolicy({ publicUrl: null, allowPrivateTargets: false }, "hooks.example.com:8443");
    expect(unset.ownHosts).toEqual(["hooks.example.com:8443"]);
    expect(judge("hooks.example.com", unset)).toEqual(OWN_HOST);
    expect(judge("pollhook.acme.workers.dev", unset)).toMatchObject({ ok: true });
  });

  it("is recognised behind a trailing dot of its own", () => {
    const dotted = targetPolicy(
      { publicUrl: "https://hooks.example.com./", allowPrivateTargets: false },
      "a.example.",
    );
    expect(judge("hooks.example.com", dotted)).toEqual(OWN_HOST);
    expect(judge("a.example", dotted)).toEqual(OWN_HOST);
  });

  it("is recognised as an address in another spelling", () => {
    const address = targetPolicy(
      { publicUrl: "https://8.8.8.8/", allowPrivateTargets: false },
      "[2606:4700::1]",
    );
    expect(judge("0x08080808", address)).toEqual(OWN_HOST);
    expect(judge("[2606:4700:0:0::1]", address)).toEqual(OWN_HOST);
  });

  it("does not match everything when its own name cannot be read", () => {
    const broken: TargetPolicy = { allowPrivate: false, ownHosts: ["", "://", "not a host"] };
    expect(judge("example.com", broken)).toMatchObject({ ok: true });
  });
});

describe("local work (ALLOW_PRIVATE_TARGETS)", () => {
  const policy = targetPolicy(
    { publicUrl: "http://localhost:8787", allowPrivateTargets: true },
    "127.0.0.1:8787",
  );

  it.each([
    "http://127.0.0.1:9000/hook",
    "http://127.0.0.1/hook",
    "http://localhost:9000/hook",
    "http://[::1]:9000/hook",
    "http://receiver:80/hook",
    "https://192.168.0.1:22/hook",
    "http://a.test/hook",
    "https://example.com/hook",
  ])("takes %s", (url) => {
    expect(judgeTarget(url, policy)).toMatchObject({ ok: true });
  });

  it.each([
    "http://127.0.0.1:8787/hook",
    "https://127.0.0.1:8787/hook",
    "http://2130706433:8787/hook",
    "http://localhost:8787/hook",
    "http://LOCALHOST.:8787/hook",
  ])("refuses %s, which is Pollhook's own host and port", (url) => {
    expect(judgeTarget(url, policy)).toEqual(OWN_HOST);
  });

  it("takes the scheme's port where none is written", () => {
    const plain = targetPolicy({ publicUrl: null, allowPrivateTargets: true }, "localhost");
    expect(judgeTarget("http://localhost/hook", plain)).toEqual(OWN_HOST);
    expect(judgeTarget("http://localhost:80/hook", plain)).toEqual(OWN_HOST);
    expect(judgeTarget("https://localhost/hook", plain)).toEqual(OWN_HOST);
    expect(judgeTarget("http://localhost:8080/hook", plain)).toMatchObject({ ok: true });
    const secure = targetPolicy(
      { publicUrl: "https://localhost", allowPrivateTargets: true },
      "pollhook.example",
    );
    expect(judgeTarget("https://localhost:443/hook", secure)).toEqual(OWN_HOST);
    expect(judgeTarget("http://localhost/hook", secure)).toMatchObject({ ok: true });
  });

  it("still refuses credentials, other schemes and what is no URL", () => {
    expect(judgeTarget("http://user@127.0.0.1:9000/", policy)).toEqual({ ok: false, fault: "credentials" });
    expect(judgeTarget("ftp://127.0.0.1:9000/", policy)).toEqual({ ok: false, fault: "scheme" });
    expect(judgeTarget("127.0.0.1:9000/hook", policy)).toMatchObject({ ok: false });
    expect(judgeTarget("http://", policy)).toEqual({ ok: false, fault: "not_a_url" });
  });

  it("still drops the fragment", () => {
    expect(judgeTarget("http://localhost:9000/a#b", policy)).toEqual({
      ok: true,
      url: "http://localhost:9000/a",
    });
  });
});

describe("any text", () => {
  it("is judged without an exception, and judged the same when what came out is judged again", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: "binary" }).map((host) => `https://${host}`),
      fc.webUrl({ withFragments: true, withQueryParameters: true }),
    );
    fc.assert(
      fc.property(text, (spelled) => {
        const judged = judgeTarget(spelled, PUBLIC);
        if (judged.ok) expect(judgeTarget(judged.url, PUBLIC)).toEqual(judged);
      }),
      { numRuns: 150 },
    );
  });
});
