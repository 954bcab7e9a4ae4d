/**
 * What is not public: the IANA special-purpose registries of IPv4 and IPv6 (RFC 6890 and what was added to them since),
 * multicast, and all of IPv6 outside of global unicast. A few of the registries' entries may be reached from everywhere
 * (AS112, AMT, ORCHIDv2): no receiver lives there, so they are refused like the others.
 */
import { BITS, type Family, isIn, type Range, rangeOf } from "./address.ts";

export const SPECIAL_4 = [
  ["this network", "0.0.0.0/8"],
  ["private 10", "10.0.0.0/8"],
  ["carrier-grade NAT", "100.64.0.0/10"],
  ["loopback", "127.0.0.0/8"],
  ["link-local", "169.254.0.0/16"],
  ["private 172.16", "172.16.0.0/12"],
  ["protocol assignments", "192.0.0.0/24"],
  ["service continuity", "192.0.0.0/29"],
  ["dummy address", "192.0.0.8/32"],
  ["port control anycast", "192.0.0.9/32"],
  ["TURN anycast", "192.0.0.10/32"],
  ["NAT64 discovery", "192.0.0.170/31"],
  ["TEST-NET-1", "192.0.2.0/24"],
  ["AS112 4", "192.31.196.0/24"],
  ["AMT 4", "192.52.193.0/24"],
  ["6to4 relays", "192.88.99.0/24"],
  ["private 192.168", "192.168.0.0/16"],
  ["direct delegation AS112", "192.175.48.0/24"],
  ["benchmarking 4", "198.18.0.0/15"],
  ["TEST-NET-2", "198.51.100.0/24"],
  ["TEST-NET-3", "203.0.113.0/24"],
  ["multicast 4", "224.0.0.0/4"],
  ["class E", "240.0.0.0/4"],
  ["broadcast", "255.255.255.255/32"],
] as const;

export const SPECIAL_6 = [
  ["unspecified", "::/128"],
  ["loopback 6", "::1/128"],
  ["IPv4-compatible", "::/96"],
  ["IPv4-translated (SIIT)", "::ffff:0:0:0/96"],
  ["NAT64", "64:ff9b::/96"],
  ["local NAT64", "64:ff9b:1::/48"],
  ["discard", "100::/64"],
  ["dummy prefix", "100:0:0:1::/64"],
  ["below global unicast", "200::/7"],
  ["protocol assignments 6", "2001::/23"],
  ["Teredo", "2001::/32"],
  ["port control anycast 6", "2001:1::1/128"],
  ["TURN anycast 6", "2001:1::2/128"],
  ["DNS-SD anycast", "2001:1::3/128"],
  ["benchmarking 6", "2001:2::/48"],
  ["AMT 6", "2001:3::/32"],
  ["AS112 6", "2001:4:112::/48"],
  ["ORCHID", "2001:10::/28"],
  ["ORCHIDv2", "2001:20::/28"],
  ["drone remote ids", "2001:30::/28"],
  ["documentation 6", "2001:db8::/32"],
  ["6to4", "2002::/16"],
  ["direct delegation AS112 6", "2620:4f:8000::/48"],
  ["documentation, second range", "3fff::/20"],
  ["above global unicast", "4000::/2"],
  ["segment routing", "5f00::/16"],
  ["unassigned", "8000::/2"],
  ["unique local", "fc00::/7"],
  ["link-local 6", "fe80::/10"],
  ["site-local", "fec0::/10"],
  ["multicast 6", "ff00::/8"],
] as const;

/** IPv6 that carries an IPv4 address which is the host: judged as that one. */
export const MAPPED: Range = rangeOf("::ffff:0:0/96");
const GLOBAL_UNICAST: Range = rangeOf("2000::/3");
const RANGES: readonly Range[] = [...SPECIAL_4, ...SPECIAL_6].map(([, cidr]) => rangeOf(cidr));

/** What the registries say of an address. */
export function isPublic(family: Family, address: bigint): boolean {
  if (family === 6 && isIn(address, MAPPED)) return isPublic(4, address - MAPPED.first);
  if (family === 6 && !isIn(address, GLOBAL_UNICAST)) return false;
  return !RANGES.some((range) => range.family === family && isIn(address, range));
}

/** First, last, and three between; fewer where the range has fewer. */
export function within({ first, last }: Range): bigint[] {
  const size = last - first;
  return [...new Set([first, first + size / 3n, first + size / 2n, last - size / 5n, last])];
}

/** The addresses just outside of the ranges that are public themselves. */
export function publicNeighbours(family: Family): bigint[] {
  const ends = RANGES.filter((range) => range.family === family).flatMap(({ first, last }) => [
    first - 1n,
    last + 1n,
  ]);
  const exists = (address: bigint): boolean => address >= 0n && address < 1n << BigInt(BITS[family]);
  return [...new Set(ends)].filter((address) => exists(address) && isPublic(family, address));
}
