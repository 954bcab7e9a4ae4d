/**
 * JSON texts of any value, as arbitraries: with white space where JSON allows it, and every way of writing a string or a
 * number.
 */
import fc from "fast-check";

export const space = fc.string({ unit: fc.constantFrom(" ", "\n", "\r", "\t"), maxLength: 3 });
const unit = fc.constantFrom(...'abé漢😀"\\/,:{}[]\n\t\u0000 019-+.eE');
const text = fc.string({ unit, maxLength: 6 });

/** A string as JSON may write it: some characters as `\uXXXX`. */
export const literal = fc
  .tuple(text, fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }))
  .map(([chars, flags]) => {
    const write = (char: string, i: number): string =>
      flags[i % flags.length]
        ? char
            .split("")
            .map((half) => `\\u${half.charCodeAt(0).toString(16).padStart(4, "0")}`)
            .join("")
        : JSON.stringify(char).slice(1, -1);
    return `"${[...chars].map(write).join("")}"`;
  });

export const number = fc.oneof(
  fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.constantFrom("0", "-0", "1.10", "1e5", "1E+05", "-1.5e-3"),
);

const tied = fc.letrec<{ value: string; array: string; object: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    number,
    literal,
    fc.constantFrom("true", "false", "null", "[]", "{}"),
    tie("array"),
    tie("object"),
  ),
  array: fc
    .tuple(fc.array(tie("value"), { maxLength: 3 }), space)
    .map(([items, s]) => `[${s}${items.join(`${s},${s}`)}${s}]`),
  object: fc
    .tuple(fc.array(fc.tuple(literal, tie("value")), { maxLength: 3 }), space)
    .map(
      ([members, s]) =>
        `{${s}${members.map(([name, inner]) => `${name}${s}:${s}${inner}`).join(`${s},${s}`)}${s}}`,
    ),
}));

/** Any value. */
export const value = tied.value;

/** Members of an object, as they are written. */
export type Members = (readonly [name: string, raw: string])[];
export const members: fc.Arbitrary<Members> = fc.array(fc.tuple(literal, value), { maxLength: 6 });
export const written = (list: Members, s: string): string =>
  `${s}{${s}${list.map(([name, raw]) => `${name}${s}:${s}${raw}`).join(`${s},${s}`)}${s}}${s}`;
