/**
 * All the ways to write one address into a URL that a WHATWG parser reads as that address, each with its name.
 */
import { groupsOf, octetsOf, write4, write6 } from "./address.ts";

export interface Spelling {
  readonly how: string;
  readonly host: string;
}

type Numeral = (value: number) => string;

export const NUMERALS: Readonly<Record<string, Numeral>> = {
  decimal: (value) => String(value),
  octal: (value) => `0${value.toString(8)}`,
  hexadecimal: (value) => `0x${value.toString(16)}`,
  "upper-case hexadecimal": (value) => `0X${value.toString(16).toUpperCase()}`,
  "octal with zeros": (value) => `00000${value.toString(8)}`,
  "hexadecimal with zeros": (value) => `0x0000${value.toString(16)}`,
};

/** Digits that compatibility mapping (UTS 46) turns into ASCII, by the character of their zero. */
const fromZero =
  (zero: string) =>
  (digit: string): string =>
    String.fromCodePoint((zero.codePointAt(0) ?? 0) + Number(digit));
const CIRCLED = "⓪①②③④⑤⑥⑦⑧⑨";
const SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const digits = (text: string, write: (digit: string) => string): string => text.replace(/[0-9]/g, write);

/** Other characters for the same host. */
export const CHARACTERS: Readonly<Record<string, (host: string) => string>> = {
  "full-width digits": (host) => digits(host, fromZero("０")),
  "circled digits": (host) => digits(host, (digit) => CIRCLED[Number(digit)] ?? ""),
  "superscript digits": (host) => digits(host, (digit) => SUPERSCRIPT[Number(digit)] ?? ""),
  "bold digits": (host) => digits(host, fromZero("𝟎")),
  "double-struck digits": (host) => digits(host, fromZero("𝟘")),
  "monospace digits": (host) => digits(host, fromZero("𝟶")),
  "percent-encoded": (host) => host.replace(/[0-9a-z.]/gi, (char) => `%${char.charCodeAt(0).toString(16)}`),
  "percent-encoded dots": (host) => host.replaceAll(".", "%2E"),
  "percent-encoded full-width digits": (host) =>
    digits(host, (digit) => encodeURIComponent(fromZero("０")(digit))),
  "full-width dots": (host) => host.replaceAll(".", "．"),
  "ideographic dots": (host) => host.replaceAll(".", "。"),
  "half-width ideographic dots": (host) => host.replaceAll(".", "｡"),
  "zero-width spaces": (host) => host.replaceAll(".", "\u200b."),
  "soft hyphens": (host) => host.replaceAll(".", ".\u00ad"),
  "word joiners": (host) => host.replaceAll(".", "\u2060."),
  "byte order marks": (host) => host.replaceAll(".", ".\ufeff"),
  "variation selectors": (host) => host.replaceAll(".", "\ufe0f."),
  tabs: (host) => host.replaceAll(".", "\t."),
  "line breaks": (host) => host.replaceAll(".", ".\r\n"),
};

/** In so many parts; the last holds all that is left. */
export function inParts(address: bigint, numerals: readonly Numeral[]): string {
  const values = octetsOf(address).slice(0, numerals.length - 1);
  values.push(Number(address % (1n << BigInt(8 * (5 - numerals.length)))));
  return values.map((value, i) => numerals[i]?.(value) ?? "").join(".");
}

/** An IPv4 address. */
export function spellings4(address: bigint): Spelling[] {
  const plain = write4(address);
  const { decimal: dec, octal: oct, hexadecimal: hex } = NUMERALS as Record<string, Numeral>;
  if (!dec || !oct || !hex) throw new Error("A numeral is missing.");
  const made: Spelling[] = [{ how: "plain", host: plain }];
  for (const [name, numeral] of Object.entries(NUMERALS))
    for (const parts of [1, 2, 3, 4])
      made.push({
        how: `${name} in ${parts}`,
        host: inParts(
          address,
          Array.from({ length: parts }, () => numeral),
        ),
      });
  made.push({ how: "mixed in 4", host: inParts(address, [hex, dec, oct, dec]) });
  made.push({ how: "mixed in 3", host: inParts(address, [oct, hex, dec]) });
  made.push({ how: "mixed in 2", host: inParts(address, [dec, hex]) });
  for (const [how, write] of Object.entries(CHARACTERS)) made.push({ how, host: write(plain) });
  made.push({ how: "a trailing dot", host: `${plain}.` });
  made.push({ how: "an encoded trailing dot", host: `${plain}%2e` });
  made.push({ how: "an ideographic trailing dot", host: `${plain}。` });
  made.push({ how: "one number with a trailing dot", host: `${address}.` });
  made.push({ how: "port 443", host: `${plain}:443` });
  made.push({ how: "a high port", host: `${plain}:8443` });
  return distinct(made);
}

/** An IPv6 address, in brackets. */
export function spellings6(address: bigint): Spelling[] {
  const groups = groupsOf(address).map((group) => group.toString(16));
  const full = groups.map((group) => group.padStart(4, "0")).join(":");
  const low = write4(address & 0xffffffffn);
  const made: Spelling[] = [
    { how: "all groups", host: write6(address) },
    { how: "with zeros", host: full },
    { how: "in upper case", host: full.toUpperCase() },
    { how: "dotted at the end", host: `${groups.slice(0, 6).join(":")}:${low}` },
    ...compressions(groups).map((host) => ({ how: "compressed", host })),
  ].map(({ how, host }) => ({ how, host: `[${host}]` }));
  made.push({ how: "port 443 behind it", host: `[${full}]:443` });
  made.push({ how: "a high port behind it", host: `[${full}]:8443` });
  return distinct(made);
}

/** With `::` in each place where there is a zero: for its whole run, and for that one group alone. */
function compressions(groups: readonly string[]): string[] {
  const made = new Set<string>();
  for (const [start, group] of groups.entries()) {
    if (group !== "0") continue;
    let end = start + 1;
    made.add(`${groups.slice(0, start).join(":")}::${groups.slice(end).join(":")}`);
    while (groups[end] === "0") end++;
    made.add(`${groups.slice(0, start).join(":")}::${groups.slice(end).join(":")}`);
  }
  return [...made];
}

/** An IPv4 address inside of an IPv6 one; `null` for what is no carrier of the host itself. */
export const CARRIERS: Readonly<Record<string, (address: bigint) => string>> = {
  "mapped, dotted": (address) => `::ffff:${write4(address)}`,
  mapped: (address) => `::FFFF:${pair(address)}`,
  "mapped, all groups": (address) => `0:0:0:0:0:ffff:${pair(address)}`,
  "compatible, dotted": (address) => `::${write4(address)}`,
  compatible: (address) => `::${pair(address)}`,
  "translated (SIIT)": (address) => `::ffff:0:${write4(address)}`,
  NAT64: (address) => `64:ff9b::${write4(address)}`,
  "NAT64, hexadecimal": (address) => `64:FF9B::${pair(address)}`,
  "local NAT64": (address) => `64:ff9b:1::${write4(address)}`,
  "local NAT64 of a /48": (address) => `64:ff9b:1:${pair(address)}::`,
  "6to4": (address) => `2002:${pair(address)}::1`,
  "6to4, all groups": (address) => `2002:${pair(address)}:0:0:0:0:1`,
  "Teredo server": (address) => `2001:0:${pair(address)}:8000:63bf:3fff:fdd2`,
  "Teredo client": (address) => `2001:0:4136:e378:8000:63bf:${pair(address ^ 0xffffffffn)}`,
  "ISATAP, link-local": (address) => `fe80::5efe:${write4(address)}`,
  "ISATAP, unique local": (address) => `fd00::200:5efe:${pair(address)}`,
};

const pair = (address: bigint): string =>
  `${((address >> 16n) & 0xffffn).toString(16)}:${(address & 0xffffn).toString(16)}`;

function distinct(spellings: readonly Spelling[]): Spelling[] {
  const hosts = new Map(spellings.map((spelling) => [spelling.host, spelling]));
  return [...hosts.values()];
}
