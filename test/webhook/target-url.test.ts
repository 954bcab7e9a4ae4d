import { describe, expect, it } from "vitest";
import { explainTarget, judgeTarget, type TargetFault, type TargetPolicy } from "../../src/webhook/target.ts";

const PUBLIC: TargetPolicy = { allowPrivate: false, ownHosts: ["pollhook.example"] };

const accepted = (url: string) => ({ ok: true, url });
const refused = (fault: TargetFault) => ({ ok: false, fault });

describe("what is a URL", () => {
  it.each([
    "",
    " ",
    "hook",
    "/hook",
    "//example.com/hook",
    "https://",
    "https:///",
    "https://exa mple.com/",
    "https://example.com:65536/",
    "https://example.com:port/",
    "https://[::1/",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://256.256.256.256/",
    "https://example.1/",
    "https://example.com%00/",
  ])("refuses %j, which is none", (text) => {
    expect(judgeTarget(text, PUBLIC)).toEqual(refused("not_a_url"));
  });

  it.each([
    ["https://EXAMPLE.com/Hook?A=b", "https://example.com/Hook?A=b"],
    ["https://example.com", "https://example.com/"],
    ["https:example.com", "https://example.com/"],
    ["https:\\\\example.com\\a", "https://example.com/a"],
    ["\thttps://exam\nple.com/a b", "https://example.com/a%20b"],
    ["https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"],
    ["https://example.com/a/../b/./c", "https://example.com/b/c"],
  ])("answers %j as WHATWG writes it", (text, url) => {
    expect(judgeTarget(text, PUBLIC)).toEqual(accepted(url));
  });
});

describe("the scheme", () => {
  it.each([
    "http://example.com/",
    "HTTP://example.com/",
    "ws://example.com/",
    "wss://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "data:text/plain,hook",
    "javascript:alert(1)",
    "blob:https://example.com/1",
    "mailto:hook@example.com",
    "httpss://example.com/",
    "example.com:443",
  ])("refuses %j", (text) => {
    expect(judgeTarget(text, PUBLIC)).toEqual(refused("scheme"));
  });

  it("takes https in any case", () => {
    expect(judgeTarget("HttpS://example.com/", PUBLIC)).toEqual(accepted("https://example.com/"));
  });
});

describe("credentials", () => {
  it.each([
    "https://user@example.com/",
    "https://user:@example.com/",
    "https://:secret@example.com/",
    "https://user:secret@example.com/",
    "https://example.org%2f@example.com/",
    "https://example.org@example.com@example.com/",
  ])("refuses %j", (text) => {
    expect(judgeTarget(text, PUBLIC)).toEqual(refused("credentials"));
  });

  it("drops empty ones", () => {
    expect(judgeTarget("https://:@example.com/", PUBLIC)).toEqual(accepted("https://example.com/"));
  });

  it("does not mistake an @ in the path or the query for them", () => {
    const url = "https://example.com/@user?to=a@b";
    expect(judgeTarget(url, PUBLIC)).toEqual(accepted(url));
  });
});

describe("the fragment", () => {
  it.each([
    ["https://example.com/hook#part", "https://example.com/hook"],
    ["https://example.com/hook#", "https://example.com/hook"],
    ["https://example.com#a?b=c", "https://example.com/"],
    ["https://example.com/?a=%23b#c", "https://example.com/?a=%23b"],
  ])("is dropped from %j", (text, url) => {
    expect(judgeTarget(text, PUBLIC)).toEqual(accepted(url));
  });
});

describe("the port", () => {
  it.each([
    ["none", "https://example.com/", "https://example.com/"],
    ["443, written out", "https://example.com:443/", "https://example.com/"],
    ["443 with leading zeros", "https://example.com:00443/", "https://example.com/"],
    ["an empty one", "https://example.com:/", "https://example.com/"],
    ["1024, the lowest free one", "https://example.com:1024/", "https://example.com:1024/"],
    ["65535, the highest", "https://example.com:65535/", "https://example.com:65535/"],
  ])("may be %s", (_, text, url) => {
    expect(judgeTarget(text, PUBLIC)).toEqual(accepted(url));
  });

  it.each([0, 1, 22, 80, 442, 444, 1023])("may not be %i", (port) => {
    expect(judgeTarget(`https://example.com:${port}/`, PUBLIC)).toEqual(refused("port"));
  });
});

describe("the length", () => {
  const ofLength = (length: number, tail = ""): string => {
    const head = "https://example.com/";
    return head + "a".repeat(length - head.length - tail.length) + tail;
  };

  it("may be 2048 characters", () => {
    expect(judgeTarget(ofLength(2048), PUBLIC)).toEqual(accepted(ofLength(2048)));
  });

  it("may not be 2049 characters", () => {
    expect(judgeTarget(ofLength(2049), PUBLIC)).toEqual(refused("too_long"));
  });

  it("is that of the URL as it is written out", () => {
    // "ü" becomes six characters.
    expect(judgeTarget(`${ofLength(2042)}ü`, PUBLIC)).toMatchObject({ ok: true });
    expect(judgeTarget(`${ofLength(2043)}ü`, PUBLIC)).toEqual(refused("too_long"));
  });

  it("does not count the fragment, which is not kept", () => {
    expect(judgeTarget(`${ofLength(2048)}#${"f".repeat(5000)}`, PUBLIC)).toEqual(accepted(ofLength(2048)));
  });

  it("holds for local work too", () => {
    const policy = { ...PUBLIC, allowPrivate: true };
    expect(judgeTarget(ofLength(2048), policy)).toEqual(accepted(ofLength(2048)));
    expect(judgeTarget(ofLength(2049), policy)).toEqual(refused("too_long"));
  });
});

describe("explainTarget", () => {
  const faults: readonly TargetFault[] = [
    "not_a_url",
    "too_long",
    "scheme",
    "credentials",
    "port",
    "private_address",
    "private_name",
    "own_host",
  ];

  it("continues a sentence that begins with the field's name, a different one for each fault", () => {
    const sentences = faults.map(explainTarget);
    expect(new Set(sentences).size).toBe(faults.length);
    for (const sentence of sentences) expect(sentence).toMatch(/^(is|must) .*[^.]$/);
  });

  it("names the cap", () => {
    expect(explainTarget("too_long")).toContain("2048");
  });
});
