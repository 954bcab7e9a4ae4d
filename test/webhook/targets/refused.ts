/**
 * URLs that may not be called, by group, each with the reason that `judgeTarget` gives. Written out where each is a
 * thought of its own, made of ranges and spellings where they are many.
 */
import type { TargetFault } from "../../../src/webhook/target.ts";
import { type Family, hostOf, parse, rangeOf } from "./address.ts";
import { isPublic, SPECIAL_4, SPECIAL_6, within } from "./ranges.ts";
import { CARRIERS, spellings4, spellings6 } from "./spellings.ts";

export interface RefusedCase {
  readonly group: string;
  readonly url: string;
  readonly fault: TargetFault;
}

/** Pollhook's own hosts, wherever the corpus is tried. */
export const OWN_HOST = "pollhook.example";
export const PUBLIC_URL = `https://${OWN_HOST}/base`;

/** Written in every way: what an attacker asks for first. */
const WANTED_4 = ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200", "0.0.0.0"];
const WANTED_6 = ["::1", "::", "fe80::1", "fd00:ec2::254", "fec0::a:1", "ff02::1", "2001:db8::1"];
const CARRIED = ["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.0.1", "100.64.0.1", "255.255.255.255"];
/** Of what is no address of a host itself, a public one inside does not help. */
const CARRIED_PUBLIC = "8.8.8.8";

const SUFFIXES = [
  ...["localhost", "local", "internal", "intranet", "private", "corp"],
  ...["home", "lan", "test", "invalid", "onion", "arpa", "alt"],
];
const NAMES = [
  ...[
    "metadata.google.internal",
    "metadata.internal",
    "instance-data.ec2.internal",
    "kubernetes.default.svc.cluster.local",
  ],
  ...[
    "host.docker.internal",
    "gateway.docker.internal",
    "1.0.0.127.in-addr.arpa",
    "router.home.arpa",
    "ip6.arpa",
  ],
  ...[
    "LOCALHOST",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "localhoſt",
    "ℓocalhost",
    "ｌｏｃａｌｈｏｓｔ",
    "local\u00adhost",
    "local\u200bhost",
  ],
  ...[
    "%6c%6f%63alhost",
    "%EF%BD%8Cocalhost",
    "localhost%2e",
    "localhost｡",
    "a。local",
    "a．internal",
    "a%2elan",
  ],
  ...[
    "printer\u3002ｌｏｃａｌ",
    "x.ⓞⓝⓘⓞⓝ",
    "localhost:8443",
    "a.ⅼocal",
    "lo\tcalhost",
    "a.in\nternal",
    "127.0.0.1.localhost",
  ],
];
const UNNAMED = [
  ...[
    "intranet",
    "router",
    "com",
    "com.",
    "metadata",
    "localdomain",
    "kubernetes",
    "xn--bcher-kva",
    "bücher",
    "a_b",
  ],
  ...[
    "a..example.com",
    ".example.com",
    "example.com..",
    "127.0.0.1..",
    "..",
    ".",
    "example。。com",
    "example.com%2e%2e",
  ],
];
const NO_URL = [
  ...[
    "",
    " ",
    "hook",
    "/hook",
    "//127.0.0.1/hook",
    "?x",
    "https://",
    "https:",
    "https://?x",
    "https://exa mple.com/",
  ],
  ...[
    "https://127.0.0.1%00/",
    "https://127.0.0.1%2f/",
    "https://127.0.0.1%20/",
    "https://256.0.0.1/",
    "https://1.2.3.4.5/",
  ],
  ...["https://4294967296/", "https://0x100000000/", "https://09.0.0.1/", "https://foo.1/"],
  ...[
    "https://foo.0x7f/",
    "https://a.08/",
    "https://１２７.0.0.1.1/",
    "https://١٢٧.0.0.1/",
    "https://१२७.0.0.1/",
  ],
  ...[
    "https://⑴27.0.0.1/",
    "https://⒈27.0.0.1/",
    "https://12\u200d7.0.0.1/",
    "https://127%u002e0.0.1/",
    "https://[::1/",
  ],
  ...["https://::1/", "https://[::1]x/", "https://[::1]./", "https://[::127.1]/", "https://[::0x7f.0.0.1]/"],
  ...[
    "https://[::ffff:127.0.0.01]/",
    "https://[0:0:0:0:0:0:0:0:1]/",
    "https://[1::2::3]/",
    "https://[12345::]/",
  ],
  ...[
    "https://[::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[fe80::1%251]/",
    "https://[::1%lo]/",
    "https://%5B::1%5D/",
  ],
  ...[
    "https://[127.0.0.1]/",
    "https://[v1.fe80::a]/",
    "https://a^b.example/",
    "https://a|b.example/",
    "https://a<b.example/",
  ],
];
const SCHEMES = [
  ...[
    "http://example.com/",
    "HTTP://example.com/",
    "http://127.0.0.1/",
    "http:example.com",
    "h\nttp://example.com/",
  ],
  ...[
    "ws://example.com/",
    "wss://example.com/",
    "ftp://example.com/",
    "ftps://example.com/",
    "sftp://example.com/",
  ],
  ...[
    "file:///etc/passwd",
    "file://example.com/x",
    "FILE:/x",
    "data:text/plain,x",
    "data:text/html;base64,eA==",
  ],
  ...[
    "blob:https://example.com/1",
    "javascript:alert(1)",
    "java\tscript:alert(1)",
    "javascript://example.com/%0aalert(1)",
  ],
  ...[
    "gopher://127.0.0.1:6379/_INFO",
    "dict://127.0.0.1:11211/",
    "ldap://example.com/",
    "tftp://example.com/",
    "about:blank",
  ],
  ...[
    "mailto:hook@example.com",
    "tel:1",
    "urn:x:y",
    "jar:https://example.com!/",
    "view-source:https://example.com/",
  ],
  ...[
    "httpss://example.com/",
    "https+unix://example.com/",
    "unix:/var/run/docker.sock",
    "netdoc:///etc/passwd",
  ],
  ...[
    "chrome://settings",
    "example.com:443",
    "localhost:8443/hook",
    "ipfs://x",
    "cid:x",
    "shttp://example.com/",
  ],
];
const CREDENTIALS = [
  ...[
    "user@",
    "user:@",
    ":secret@",
    "user:secret@",
    "%75ser@",
    "user%40example.org@",
    "example.org@",
    "a@b@",
    "a:b:c@",
  ],
  ...["127.0.0.1@", "example.org%2f@", "https%3a@", "\u200buser@", "ü@", "[::1]@", "https:@"],
].map((before) => `https://${before}example.com/`);
const PORTS = [
  ...[0, 1, 7, 22, 23, 25, 53, 80, 110, 111, 139, 143, 389, 442, 444, 445, 465, 587, 993, 995, 1023],
].map((port) => `https://example.com:${port}/`);
const NO_PORTS = [
  "65536",
  "99999999999999999999",
  "-1",
  "+443",
  "4 43",
  "0x1bb",
  "443a",
  "443:443",
  "٤٤٣",
  "４４３",
  "8443.0",
  "%34",
];
const OWN = [
  ...[
    OWN_HOST,
    "POLLHOOK.EXAMPLE",
    "Pollhook.Example.",
    `${OWN_HOST}:443`,
    `${OWN_HOST}:8443`,
    `${OWN_HOST}.:8443`,
  ],
  ...[
    "%70ollhook.example",
    "ｐollhook.example",
    "pollhook。example",
    "pollhook%2eexample",
    "poll\u00adhook.example",
  ],
  ...[
    "pollhook.example｡",
    "ⓟollhook.example",
    "poll\thook.example",
    "pollhook．ｅｘａｍｐｌｅ",
    "pollhook.example:01024",
  ],
];

const ADDRESS: TargetFault = "private_address";
const https = (host: string): string => `https://${host}/hook`;

function ranges(family: Family, special: readonly (readonly [name: string, cidr: string])[]): RefusedCase[] {
  return special.flatMap(([, cidr]) =>
    within(rangeOf(cidr))
      .filter((address) => !isPublic(family, address))
      .map((address) => ({
        group: `IPv${family} ranges`,
        url: https(hostOf(family, address)),
        fault: ADDRESS,
      })),
  );
}

const listed = (group: string, fault: TargetFault, urls: readonly string[]): RefusedCase[] =>
  urls.map((url) => ({ group, url, fault }));

const carried = (): string[] =>
  Object.entries(CARRIERS).flatMap(([name, carry]) => {
    const inside = name.startsWith("mapped") ? CARRIED : [...CARRIED, CARRIED_PUBLIC];
    return inside.map((address) => https(`[${carry(parse(address))}]`));
  });

const suffixed = (): string[] =>
  SUFFIXES.flatMap((suffix) => {
    const upper = suffix.toUpperCase();
    return [
      suffix,
      `${suffix}.`,
      upper,
      `a.${suffix}`,
      `a.b.${suffix}`,
      `A.${upper}`,
      `a.${suffix}.`,
      `a.${suffix}:8443`,
    ];
  }).map(https);

/** Other ways to a host behind `https:`, which a parser reads all the same. */
const HIDDEN = [
  ...[
    "https:127.0.0.1",
    "https:/127.0.0.1",
    "https:////127.0.0.1",
    "https:\\\\127.0.0.1\\x",
    "https:/\\127.0.0.1",
  ],
  ...[
    " https://127.0.0.1 ",
    "\thttps://127.0.0.1",
    "ht\ntps://127.0.0.1",
    "https://127.0.0.1\\@example.com/",
  ],
  ...[
    "https://127.0.0.1#@example.com/",
    "https://127.0.0.1?@example.com/",
    "HTTPS://127.0.0.1/",
    "https://127.0.0.1:/",
  ],
  ...["\u0000https://127.0.0.1/", "https://127.0.0.1/../../x", "https://127.0.0.1//example.com"],
];

const all: readonly RefusedCase[] = [
  ...ranges(4, SPECIAL_4),
  ...listed(
    "IPv4 spellings",
    ADDRESS,
    WANTED_4.flatMap((address) => spellings4(parse(address))).map(({ host }) => https(host)),
  ),
  ...listed("ways around the host", ADDRESS, HIDDEN),
  ...ranges(6, SPECIAL_6),
  ...listed(
    "IPv6 spellings",
    ADDRESS,
    WANTED_6.flatMap((address) => spellings6(parse(address))).map(({ host }) => https(host)),
  ),
  ...listed("IPv4 inside IPv6", ADDRESS, carried()),
  ...listed("special-use names", "private_name", [...suffixed(), ...NAMES.map(https)]),
  ...listed("single and empty labels", "private_name", UNNAMED.map(https)),
  ...listed("own host", "own_host", OWN.map(https)),
  ...listed("user info", "credentials", CREDENTIALS),
  ...listed("ports", "port", PORTS),
  ...listed(
    "ports",
    "not_a_url",
    NO_PORTS.map((port) => `https://example.com:${port}/`),
  ),
  ...listed("schemes", "scheme", SCHEMES),
  ...listed(
    "length",
    "too_long",
    ["a".repeat(2029), "ü".repeat(400), `?${"b".repeat(4_000)}`].map((tail) => `https://example.com/${tail}`),
  ),
  ...listed("no URL", "not_a_url", NO_URL),
];

/** Each URL once, in the group that has it first. */
export const REFUSED: readonly RefusedCase[] = [
  ...new Map([...all].reverse().map((refused) => [refused.url, refused])).values(),
].reverse();
