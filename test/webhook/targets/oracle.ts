/**
 * Random addresses in random spellings, each judged by `target.ts` and by two who know no spelling: `ipaddr.js`, which is
 * given the bytes, and the registries as we have them. All three must agree.
 */
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { judgeTarget, type TargetPolicy } from "../../../src/webhook/target.ts";
import { BITS, type Family, groupsOf, hostOf, octetsOf, rangeOf, write4 } from "./address.ts";
import { isPublic, MAPPED, SPECIAL_4, SPECIAL_6 } from "./ranges.ts";
import { CHARACTERS, inParts, NUMERALS } from "./spellings.ts";

const POLICY: TargetPolicy = { allowPrivate: false, ownHosts: [] };

export interface Agreement {
  readonly cases: number;
  readonly refused: number;
  readonly accepted: number;
  /** IPv4, IPv4 in IPv6, other IPv6. */
  readonly kinds: Readonly<Record<Kind, number>>;
}
type Kind = "IPv4" | "IPv4 in IPv6" | "IPv6";

interface Addressed {
  readonly family: Family;
  readonly address: bigint;
}
interface Spelled extends Addressed {
  /** What stands between `https://` and the path. */
  readonly host: string;
}

/** Close to an end of a special range more often than not: there a rule is wrong by one. */
const addressOf = (family: Family): fc.Arbitrary<Addressed> => {
  const special = family === 4 ? SPECIAL_4 : SPECIAL_6;
  const most = (1n << BigInt(BITS[family])) - 1n;
  const near = fc
    .record({
      range: fc.constantFrom(...special.map(([, cidr]) => rangeOf(cidr))),
      atEnd: fc.boolean(),
      step: fc.bigInt({ min: -3n, max: 3n }),
    })
    .map(({ range, atEnd, step }) => (atEnd ? range.last : range.first) + step)
    .map((address) => (address < 0n ? 0n : address > most ? most : address));
  const inside = fc
    .constantFrom(...special.map(([, cidr]) => rangeOf(cidr)))
    .chain(({ first, last }) => fc.bigInt({ min: first, max: last }));
  const anywhere = fc.bigInt({ min: 0n, max: most });
  const unicast = fc.bigInt({ min: 0x2n << 124n, max: (0x4n << 124n) - 1n });
  return (family === 4 ? fc.oneof(near, inside, anywhere) : fc.oneof(near, inside, anywhere, unicast)).map(
    (address) => ({ family, address }),
  );
};

const numeral = fc.constantFrom(...Object.values(NUMERALS));
const characters = fc.constantFrom((host: string) => host, ...Object.values(CHARACTERS));

const spelled4: fc.Arbitrary<Spelled> = fc
  .record({
    at: addressOf(4),
    numerals: fc.array(numeral, { minLength: 1, maxLength: 4 }),
    write: characters,
    dot: fc.constantFrom("", "", ".", "%2e", "。"),
    port: fc.constantFrom("", "", ":443", ":8443"),
  })
  .map(({ at, numerals, write, dot, port }) => ({
    ...at,
    host: write(inParts(at.address, numerals)) + dot + port,
  }));

/** Groups with zeros in front, letters of both cases, one run of zeros left out, the end dotted. */
const spelled6 = (address: fc.Arbitrary<bigint>): fc.Arbitrary<Spelled> =>
  fc
    .record({
      address,
      widths: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 8, maxLength: 8 }),
      upper: fc.boolean(),
      compress: fc.nat(8),
      dotted: fc.boolean(),
      port: fc.constantFrom("", "", ":443", ":8443"),
    })
    .map(({ address, widths, upper, compress, dotted, port }) => {
      const groups = groupsOf(address).map((group, i) => group.toString(16).padStart(widths[i] ?? 1, "0"));
      const tail = dotted ? [write4(address & 0xffffffffn)] : groups.slice(6);
      const text = compressed([...groups.slice(0, 6), ...tail], compress);
      return { family: 6 as const, address, host: `[${upper ? text.toUpperCase() : text}]${port}` };
    });

function compressed(groups: readonly string[], start: number): string {
  let end = start;
  while (/^0+$/.test(groups[end] ?? "")) end++;
  return end === start
    ? groups.join(":")
    : `${groups.slice(0, start).join(":")}::${groups.slice(end).join(":")}`;
}

const mapped = addressOf(4).map(({ address }) => MAPPED.first + address);
const CARRYING = ["::", "64:ff9b::", "64:ff9b:1::", "::ffff:0:0:0"].map(
  (text) => rangeOf(`${text}/96`).first,
);
const carried = fc
  .record({ prefix: fc.constantFrom(...CARRYING), at: addressOf(4) })
  .map(({ prefix, at }) => prefix + at.address);
const sixToFour = addressOf(4).map(({ address }) => (0x2002n << 112n) | (address << 80n) | 1n);

const spelled: fc.Arbitrary<Spelled> = fc.oneof(
  { arbitrary: spelled4, weight: 3 },
  { arbitrary: spelled6(fc.oneof(mapped, carried, sixToFour)), weight: 2 },
  { arbitrary: spelled6(addressOf(6).map(({ address }) => address)), weight: 3 },
);

/** Of the bytes alone: `unicast`, what is mapped taken out first, and of IPv6 only what is global unicast at all. */
function publicToLibrary({ family, address }: Addressed): boolean {
  if (family === 4) return ipaddr.fromByteArray(octetsOf(address)).range() === "unicast";
  const bytes = groupsOf(address).flatMap((group) => [group >> 8, group & 0xff]);
  const parsed = ipaddr.fromByteArray(bytes);
  if (parsed.range() === "ipv4Mapped") return publicToLibrary({ family: 4, address: address & 0xffffffffn });
  return parsed.range() === "unicast" && address >> 125n === 1n;
}

const kindOf = ({ family, address }: Addressed): Kind => {
  if (family === 4) return "IPv4";
  const isCarrier = address >> 32n === MAPPED.first >> 32n || CARRYING.includes((address >> 32n) << 32n);
  return isCarrier || address >> 112n === 0x2002n ? "IPv4 in IPv6" : "IPv6";
};

/** Throws, with the smallest example that there is, where they do not agree. */
export function agreement(cases: number): Agreement {
  let accepted = 0;
  let judged = 0;
  const kinds: Record<Kind, number> = { IPv4: 0, "IPv4 in IPv6": 0, IPv6: 0 };
  fc.assert(
    fc.property(spelled, (it) => {
      const canonical = new URL(`https://${hostOf(it.family, it.address)}/`).hostname;
      const read = URL.parse(`https://${it.host}/`)?.hostname.replace(/\.$/, "");
      if (read !== canonical) throw new Error(`${it.host} is read as ${read}, not as ${canonical}.`);
      const judgement = judgeTarget(`https://${it.host}/hook`, POLICY);
      const verdicts = {
        target: judgement.ok,
        library: publicToLibrary(it),
        registries: isPublic(it.family, it.address),
      };
      if (new Set(Object.values(verdicts)).size > 1)
        throw new Error(`${it.host} (${canonical}): ${JSON.stringify(verdicts)}`);
      if (!judgement.ok && judgement.fault !== "private_address")
        throw new Error(`${it.host}: ${judgement.fault}`);
      judged++;
      kinds[kindOf(it)]++;
      if (judgement.ok) accepted++;
    }),
    { numRuns: cases },
  );
  return { cases: judged, refused: judged - accepted, accepted, kinds };
}
