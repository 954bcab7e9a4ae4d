import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judgeTarget, type TargetPolicy } from "../../src/webhook/target.ts";

const PUBLIC: TargetPolicy = { allowPrivate: false, ownHosts: ["pollhook.example"] };
const PRIVATE = { ok: false, fault: "private_address" };

const judge = (host: string) => judgeTarget(`https://${host}/hook`, PUBLIC);

/** Every non-public IPv4 range (RFC 6890 and its registry, multicast, class E): first and last address. */
const RANGES: readonly (readonly [name: string, first: string, last: string])[] = [
  ["this network", "0.0.0.0", "0.255.255.255"],
  ["private 10/8", "10.0.0.0", "10.255.255.255"],
  ["carrier-grade NAT", "100.64.0.0", "100.127.255.255"],
  ["loopback", "127.0.0.0", "127.255.255.255"],
  ["link-local with the metadata service", "169.254.0.0", "169.254.255.255"],
  ["private 172.16/12", "172.16.0.0", "172.31.255.255"],
  ["protocol assignments", "192.0.0.0", "192.0.0.255"],
  ["TEST-NET-1", "192.0.2.0", "192.0.2.255"],
  ["6to4 relays", "192.88.99.0", "192.88.99.255"],
  ["private 192.168/16", "192.168.0.0", "192.168.255.255"],
  ["benchmarking", "198.18.0.0", "198.19.255.255"],
  ["TEST-NET-2", "198.51.100.0", "198.51.100.255"],
  ["TEST-NET-3", "203.0.113.0", "203.0.113.255"],
  ["multicast", "224.0.0.0", "239.255.255.255"],
  ["class E and broadcast", "240.0.0.0", "255.255.255.255"],
];

const toNumber = (ip: string): number => ip.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
const toIp = (n: number): string => [24, 16, 8, 0].map((shift) => (n >>> shift) & 255).join(".");

describe("IPv4 addresses", () => {
  it.each(RANGES)("refuses %s from its first to its last address", (_, first, last) => {
    expect(judge(first)).toEqual(PRIVATE);
    expect(judge(last)).toEqual(PRIVATE);
  });

  // The neighbours of ranges that no other range adjoins.
  it.each([
    "1.0.0.0",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "8.8.8.8",
    "1.1.1.1",
  ])("takes the public %s", (host) => {
    expect(judge(host)).toEqual({ ok: true, url: `https://${host}/hook` });
  });

  it.each([
    ["decimal", "2130706433"],
    ["decimal with leading zeros", "00017700000001"],
    ["hexadecimal", "0x7f000001"],
    ["hexadecimal in upper case", "0X7F000001"],
    ["octal", "017700000001"],
    ["octal octets", "0177.0.0.01"],
    ["hexadecimal octets", "0x7f.0x0.0x0.0x1"],
    ["mixed octets", "0x7f.0.00.1"],
    ["an empty hexadecimal number", "127.0.0x.1"],
    ["two parts", "127.1"],
    ["three parts", "127.0.1"],
    ["the last part in 16 bits", "127.0.258"],
    ["a trailing dot", "127.0.0.1."],
    ["decimal with a trailing dot", "2130706433."],
    ["zero", "0"],
    ["fullwidth digits", "\uff11\uff12\uff17.\uff10.\uff10.\uff11"],
    ["circled digits", "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460"],
    ["ideographic full stops", "127\u30020\u30020\u30021"],
    ["percent-encoded", "%31%32%37%2e%30%2e%30%2e%31"],
    ["percent-encoded in part", "127%2E1"],
    ["a soft hyphen inside", "127.0.0\u00ad.1"],
    ["a port behind it", "127.0.0.1:8443"],
    ["the metadata service in decimal", "2852039166"],
    ["a private address in hexadecimal", "0xc0a80001"],
  ])("refuses one spelled with %s", (_, host) => {
    expect(judge(host)).toEqual(PRIVATE);
  });

  it("does not read two trailing dots as an address", () => {
    expect(judge("127.0.0.1..")).toMatchObject({ ok: false });
  });

  it("takes a public one in an odd spelling, written out as the address it is", () => {
    expect(judge("0x8.010.2056")).toEqual({ ok: true, url: "https://8.8.8.8/hook" });
  });

  it("does not take a name for an address that begins like one", () => {
    expect(judge("127.0.0.1.example.com")).toMatchObject({ ok: true });
    expect(judge("10.example.com")).toMatchObject({ ok: true });
  });
});

describe("any non-public IPv4 address in any spelling that the URL parser reads", () => {
  const address = fc
    .constantFrom(...RANGES)
    .chain(([, first, last]) => fc.integer({ min: toNumber(first), max: toNumber(last) }));

  const numeral = fc.constantFrom(
    (n: number) => String(n),
    (n: number) => `0x${n.toString(16)}`,
    (n: number) => `0X000${n.toString(16).toUpperCase()}`,
    (n: number) => `0${n.toString(8)}`,
    (n: number) => `000${n.toString(8)}`,
  );
  const character = fc.constantFrom(
    (text: string) => text,
    (text: string) => text.replace(/[0-9]/g, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0)),
    (text: string) => text.replace(/[0-9.]/g, (char) => `%${char.charCodeAt(0).toString(16)}`),
    (text: string) => text.replaceAll(".", "\uff0e"),
    (text: string) => text.replaceAll(".", "\u3002"),
  );
  const spelling = fc.record({
    parts: fc.integer({ min: 1, max: 4 }),
    numerals: fc.tuple(numeral, numeral, numeral, numeral),
    character,
    dot: fc.constantFrom("", "."),
  });

  it("is refused", () => {
    fc.assert(
      fc.property(address, spelling, (n, { parts, numerals, character, dot }) => {
        const values = [24, 16, 8].slice(0, parts - 1).map((shift) => (n >>> shift) & 255);
        values.push(n % 2 ** (8 * (5 - parts)));
        const spelled = character(values.map((value, i) => numerals[i]?.(value)).join(".") + dot);
        expect(URL.parse(`https://${spelled}/`)?.hostname).toBe(toIp(n));
        expect(judge(spelled)).toEqual(PRIVATE);
      }),
      { numRuns: 300 },
    );
  });

  it("is refused inside IPv6, however the IPv6 address carries it", () => {
    const carrier = fc.constantFrom(
      (ip: string, _hex: string) => `::ffff:${ip}`,
      (_ip: string, hex: string) => `0:0:0:0:0:FFFF:${hex}`,
      (ip: string, _hex: string) => `::${ip}`,
      (ip: string, _hex: string) => `::ffff:0:${ip}`,
      (ip: string, _hex: string) => `64:ff9b::${ip}`,
      (ip: string, _hex: string) => `64:ff9b:1::${ip}`,
      (_ip: string, hex: string) => `2002:${hex}::1`,
      (ip: string, _hex: string) => `2001:0:4136:e378:8000:63bf:${ip}`,
    );
    fc.assert(
      fc.property(address, carrier, (n, carry) => {
        const hex = `${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}`;
        expect(judge(`[${carry(toIp(n), hex)}]`)).toEqual(PRIVATE);
      }),
      { numRuns: 200 },
    );
  });
});
