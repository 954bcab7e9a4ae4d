/**
 * IP addresses as numbers, with arithmetic of our own: what `target.ts` and its library are held against may not be that
 * library. Addresses are `bigint`s, of 32 or of 128 bits.
 */
export type Family = 4 | 6;

export const BITS = { 4: 32, 6: 128 } as const;

/** A CIDR range; both ends belong to it. */
export interface Range {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

/** A dotted address in plain decimal. */
export const parse4 = (text: string): bigint =>
  text.split(".").reduce((sum, octet) => sum * 256n + BigInt(octet), 0n);

/** Groups in hexadecimal, with at most one `::`. */
export function parse6(text: string): bigint {
  const [head = "", tail] = text.split("::");
  const groups = (part: string): bigint[] =>
    part === "" ? [] : part.split(":").map((group) => BigInt(`0x${group}`));
  const [left, right] = [groups(head), groups(tail ?? "")];
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => 0n);
  return [...left, ...zeros, ...right].reduce((sum, group) => (sum << 16n) | group, 0n);
}

export const parse = (text: string): bigint => (text.includes(":") ? parse6(text) : parse4(text));

export function rangeOf(cidr: string): Range {
  const [text = "", length = ""] = cidr.split("/");
  const family: Family = text.includes(":") ? 6 : 4;
  const size = 1n << BigInt(BITS[family] - Number(length));
  const first = parse(text);
  return { family, first, last: first + size - 1n };
}

export const isIn = (address: bigint, { first, last }: Range): boolean => address >= first && address <= last;

/** The eight groups, the highest first. */
export const groupsOf = (address: bigint): number[] =>
  Array.from({ length: 8 }, (_, i) => Number((address >> BigInt(112 - 16 * i)) & 0xffffn));

/** The four octets, the highest first. */
export const octetsOf = (address: bigint): number[] =>
  [24n, 16n, 8n, 0n].map((shift) => Number((address >> shift) & 0xffn));

export const write4 = (address: bigint): string => octetsOf(address).join(".");

/** All eight groups, without a `::`. */
export const write6 = (address: bigint): string =>
  groupsOf(address)
    .map((group) => group.toString(16))
    .join(":");

/** As the host of a URL. */
export const hostOf = (family: Family, address: bigint): string =>
  family === 4 ? write4(address) : `[${write6(address)}]`;
