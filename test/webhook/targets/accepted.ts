/**
 * URLs that may be called, by group: what a rule that is too wide would refuse. `as` is how WHATWG writes it, where that
 * is worth saying.
 */
import { type Family, hostOf, parse, write4 } from "./address.ts";
import { publicNeighbours } from "./ranges.ts";
import { spellings4, spellings6 } from "./spellings.ts";

export interface AcceptedCase {
  readonly group: string;
  readonly url: string;
  readonly as?: string;
}

const https = (host: string): string => `https://${host}/hook`;

const SUFFIXES = ["localhost", "local", "internal", "home", "lan", "test", "onion", "arpa", "corp"];
const NAMES = [
  ...["example.com", "example.org", "a.example", "hooks.EXAMPLE.net", "a.b.c.d.e.f.example.com", "x.co"],
  ...[
    "a-b.c_d.example.com",
    "_hook.example.com",
    "-a.example.com",
    "a-.example.com",
    "xn--bcher-kva.example",
    "7.example.com",
  ],
  ...[
    "10.example.com",
    "127.0.0.1.example.com",
    "0x7f.example.com",
    "127.0.0.0x1g",
    "example.com.",
    "localhost.example.com.",
  ],
  // A Worker cannot see what a name resolves to: these lead into private ranges, and the network is the wall.
  ...["127.0.0.1.nip.io", "10-0-0-1.sslip.io", "localtest.me", "a.lvh.me", "169.254.169.254.xip.io"],
  ...[
    "pollhook.example.com",
    "a.pollhook.example",
    "pollhook.example.org",
    "mypollhook.example",
    "host.localdomain",
    "metadata.google.com",
  ],
];
const SPELLED: readonly (readonly [url: string, as: string])[] = [
  ["https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"],
  ["https://日本語.example/", "https://xn--wgv71a119e.example/"],
  ["https://faß.example/", "https://xn--fa-hia.example/"],
  ["https://☃.example/", "https://xn--n3h.example/"],
  ["https://ｅxample。com/", "https://example.com/"],
  ["https://ex%41mple.com/", "https://example.com/"],
  ["https://exa\u00admple.com/", "https://example.com/"],
  ["HTTPS://EXAMPLE.COM/Hook", "https://example.com/Hook"],
  ["https:example.com", "https://example.com/"],
  ["https:\\\\example.com\\a", "https://example.com/a"],
  ["  https://example.com/a b\n", "https://example.com/a%20b"],
  ["https://example.com\\@127.0.0.1/", "https://example.com/@127.0.0.1/"],
  ["https://example.com/#@127.0.0.1/", "https://example.com/"],
  ["https://example.com/?u=https://127.0.0.1/#x", "https://example.com/?u=https://127.0.0.1/"],
  ["https://example.com/hook#", "https://example.com/hook"],
  ["https://:@example.com/", "https://example.com/"],
  ["https://@example.com/", "https://example.com/"],
  ["https://example.com/@user:secret", "https://example.com/@user:secret"],
  ["https://example.com/../../etc/passwd", "https://example.com/etc/passwd"],
  ["https://example.com/%0d%0aX: 1", "https://example.com/%0d%0aX:%201"],
  ["https://example.com/\r\nX: 1", "https://example.com/X:%201"],
];
const PORTS = ["", "443", "00443", "1024", "1025", "3000", "8443", "49152", "65535", "065535"];
/** Addresses that look special and are not: the platform of a cloud, or a prefix that a network of its own routes. */
const PUBLIC = [
  ...["1.1.1.1", "8.8.8.8", "9.9.9.9", "168.63.129.16", "128.0.0.1", "191.255.255.255", "223.255.255.255"],
  ...[
    "[2606:4700:4700::1111]",
    "[2001:4860:4860::8888]",
    "[2a00:1450:4001:82a::200e]",
    "[2000::1]",
    "[3ffe::1]",
  ],
  ...["[::ffff:8.8.8.8]", "[::ffff:1.1.1.1]", "[2606:4700::5efe:10.0.0.1]", "[2606:4700:64::127.0.0.1]"],
];

const neighbours = (family: Family): AcceptedCase[] =>
  publicNeighbours(family).map((address) => ({
    group: `neighbours of IPv${family} ranges`,
    url: https(hostOf(family, address)),
    ...(family === 4 && { as: https(write4(address)) }),
  }));

const listed = (group: string, urls: readonly string[]): AcceptedCase[] =>
  urls.map((url) => ({ group, url }));

const all: readonly AcceptedCase[] = [
  ...neighbours(4),
  ...neighbours(6),
  ...listed("public addresses", PUBLIC.map(https)),
  ...spellings4(parse("8.8.4.4"))
    .filter(({ host }) => !host.includes(":") && !/(\.|%2e|。)$/.test(host))
    .map(({ host }) => ({ group: "spelled public addresses", url: https(host), as: https("8.8.4.4") })),
  ...spellings6(parse("2606:4700:0:1::1111")).map(({ host }) => ({
    group: "spelled public addresses",
    url: https(host),
    as: https(`[2606:4700:0:1::1111]${host.endsWith(":8443") ? ":8443" : ""}`),
  })),
  ...listed("names", NAMES.map(https)),
  ...listed(
    "names that resemble special ones",
    SUFFIXES.flatMap((name) => [`${name}.example.com`, `a.my${name}`, `a.${name}s`, `${name}.com`]).map(
      https,
    ),
  ),
  ...SPELLED.map(([url, as]) => ({ group: "URLs in other words", url, as })),
  ...listed(
    "ports",
    PORTS.map((port) => `https://example.com:${port}/`),
  ),
  ...listed("length", [
    `https://example.com/${"a".repeat(2028)}`,
    `https://example.com/${"a".repeat(2028)}#${"b".repeat(2_000)}`,
  ]),
];

/** Each URL once, in the group that has it first. */
export const ACCEPTED: readonly AcceptedCase[] = [
  ...new Map([...all].reverse().map((accepted) => [accepted.url, accepted])).values(),
].reverse();
