/**
 * Values that have broken parsers, databases and string handling before: for members of a body, for queries, for paths.
 */
import { Members, Raw, type Tree } from "./json-tree.ts";
import { POLLUTION } from "./planted.ts";
import type { Random } from "./random.ts";

/** As text; each may stand in a JSON string. */
export const STRINGS: readonly string[] = [
  "",
  " ",
  "\0",
  "a\0b",
  "\r\nx-injected: 1\r\n\r\n",
  "\n\ndata: injected",
  "null",
  "undefined",
  "NaN",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "../../../etc/passwd",
  "..%2f..%2f",
  "%00",
  "'; DROP TABLE jobs; --",
  "' OR '1'='1",
  "%",
  "_",
  "*",
  "[a-z]*",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what is to be sent.
  "${7*7}{{7*7}}",
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "\u202e\u0627\u0644\u0639\u0631\u0628\u064a\u0629",
  "Z\u0351\u036b\u0343a\u0321\u0353\u031el\u0320\u0331go\u0321",
  "\ufeff",
  "\ufffe\uffff",
  "\ud83d\ude00\u{1f468}\u200d\u{1f469}\u200d\u{1f467}",
  "\u0130\u0131\u017f\u212a",
  "１２３",
  "\u2028\u2029",
  "\x1b[31m",
  "1e3",
  "0x10",
  "-1",
  "9007199254740993",
  "2026-13-45T99:99:99Z",
  "+275760-09-13T00:00:00Z",
  "9999-12-31T23:59:59.999999999Z",
  "0000-01-01T00:00:00Z",
  "http://169.254.169.254/latest/meta-data/",
  "file:///etc/passwd",
  "javascript:alert(1)",
  "https://user:pass@example.com/",
  "https://[::1]/",
  "https://0x7f.1/",
  "http://localhost:1/",
  "job_",
  "op_",
  "whsec_",
  "whsec_AAAA",
  "v999",
  "v3/fetch",
  "v3/../v4",
];

/** As JSON, which need not be what JavaScript can hold. */
const RAW: readonly string[] = [
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"a\\u0000b"',
  '"\\u202e"',
  "1e400",
  "-1e400",
  "1e-400",
  "-0",
  "0.1",
  "-1",
  "1E+2",
  "9007199254740992",
  "9007199254740993",
  "123456789012345678901234567890",
  `1${"0".repeat(400)}`,
  "2147483648",
  "-2147483649",
  "18446744073709551616",
  "true",
  "false",
  "null",
  "[]",
  "{}",
  "[[]]",
  '[null,true,1,"x",{}]',
  // What is no JSON at all.
  "NaN",
  "Infinity",
  "undefined",
  "01",
  "'x'",
  "0x10",
  "",
  "1,",
  '"\\x"',
  '"\t"',
];

/** Lengths on both sides of the limits that there are. */
const LENGTHS: readonly number[] = [
  31, 32, 33, 63, 64, 65, 94, 128, 129, 255, 256, 257, 1_024, 2_048, 2_049, 4_096, 4_097, 8_193, 20_000,
];

export const longText = (random: Random): string =>
  random.pick(["a", "0", "\u00e9", "\u{1f600}", "%41", "-", "\\"]).repeat(random.pick(LENGTHS));

export function hostileText(random: Random): string {
  return random.weighted([
    [8, () => random.pick(STRINGS)],
    [2, () => longText(random)],
    [1, () => random.word()],
    [
      1,
      () => String.fromCharCode(...Array.from({ length: random.between(1, 8) }, () => random.below(0xd800))),
    ],
  ])();
}

export function hostileTree(random: Random): Tree {
  return random.weighted<() => Tree>([
    [6, () => random.pick(STRINGS)],
    [6, () => new Raw(random.pick(RAW))],
    [2, () => longText(random)],
    [1, () => random.between(-10, 100_000)],
    [1, () => nested(random)],
    [1, () => polluting()],
  ])();
}

/** A member that would show everywhere, were it taken for the prototype. */
export const polluting = (): Members =>
  new Members([
    [
      "__proto__",
      new Members([
        [POLLUTION, 1],
        ["status", 200],
        ["key", "x"],
      ]),
    ],
    ["constructor", new Members([["prototype", new Members([[POLLUTION, 1]])]])],
  ]);

/** Deeper than what recurses likes. */
export function nested(random: Random, depth = random.pick([10, 100, 500, 1_500])): Raw {
  const [open, close] = random.pick([
    ["[", "]"],
    ['{"a":', "}"],
    ['[{"a":', "}]"],
  ] as const);
  return new Raw(`${open.repeat(depth)}1${close.repeat(random.chance(0.9) ? depth : depth - 1)}`);
}
