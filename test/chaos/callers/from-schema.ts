/**
 * Values of a JSON Schema: what the document says may be sent, its limits met from within. Where more is known of a field
 * than its schema says (a callback that answers, a token, an id of a job), its name decides.
 */
import fc from "fast-check";
import { resolved, type Schema } from "./document.ts";
import { Members, type Tree, treeOf } from "./json-tree.ts";
import type { Random } from "./random.ts";

/** By the name of a field; `undefined` leaves it out. */
export type Fields = Readonly<Record<string, () => Tree | undefined>>;

const OPTIONAL = 0.25;
const MATCHES = 40;
const MAX_DEPTH = 6;
/** Of the characters of a text that has no pattern. */
const DEFAULT_LENGTH = 12;
const MOST_ITEMS = 3;

export function fromSchema(schema: Schema, random: Random, fields: Fields = {}, depth = 0): Tree {
  const known = resolved(schema);
  if (known.const !== undefined) return treeOf(known.const);
  if (known.enum) return treeOf(random.pick(known.enum));
  if (known.anyOf && !known.properties)
    return fromSchema(random.pick(known.anyOf), random, fields, depth + 1);
  if (known.examples && random.chance(0.8)) return treeOf(random.pick(known.examples));
  switch (typeOf(known, random)) {
    case "object":
      return objectOf(known, random, fields, depth);
    case "array":
      return depth > MAX_DEPTH ? [] : itemsOf(known, random, fields, depth);
    case "integer":
      return Math.trunc(numberOf(known, random));
    case "number":
      return numberOf(known, random);
    case "boolean":
      return random.chance(0.5);
    case "null":
      return null;
    default:
      return textOf(known, random);
  }
}

function typeOf({ type, properties }: Schema, random: Random): string {
  if (type === undefined) return properties ? "object" : "string";
  if (typeof type === "string") return type;
  const others = type.filter((one) => one !== "null");
  return random.chance(0.1) ? "null" : random.pick(others);
}

function objectOf(schema: Schema, random: Random, fields: Fields, depth: number): Members {
  const members = new Members();
  for (const [name, of] of Object.entries(schema.properties ?? {})) {
    const isNeeded = schema.required?.includes(name) ?? false;
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field && random.chance(0.95)) {
      const value = field();
      if (value !== undefined) members.set(name, value);
    } else if (isNeeded || (depth < MAX_DEPTH && random.chance(OPTIONAL)))
      members.set(name, fromSchema(of, random, fields, depth + 1));
  }
  return members;
}

function itemsOf(
  { items = {}, minItems = 0, maxItems = 4 }: Schema,
  random: Random,
  fields: Fields,
  depth: number,
): Tree[] {
  const most = Math.min(maxItems, minItems + MOST_ITEMS);
  const count = random.chance(0.03) ? maxItems : random.between(minItems, most);
  return Array.from({ length: count }, () => fromSchema(items, random, fields, depth + 1));
}

function numberOf({ minimum = 0, maximum = 1_000_000 }: Schema, random: Random): number {
  return random.weighted([
    [1, minimum],
    [1, maximum],
    [4, random.between(minimum, maximum)],
    [2, Math.min(maximum, minimum + random.below(10))],
  ]);
}

function textOf({ pattern, format, maxLength = DEFAULT_LENGTH }: Schema, random: Random): string {
  if (pattern !== undefined) return random.pick(matchesOf(pattern));
  if (format === "date-time") return new Date(Date.now() - random.below(100_000_000)).toISOString();
  return random.word(random.between(1, Math.min(maxLength, DEFAULT_LENGTH)));
}

const matches = new Map<string, readonly string[]>();

/** Some texts that fit the pattern, the same in every run. */
function matchesOf(pattern: string): readonly string[] {
  let found = matches.get(pattern);
  if (!found) {
    // Lookaheads are more than it can make texts for: some of those without them do not fit.
    const simple = fc.stringMatching(new RegExp(pattern.replace(/\(\?![^()]*(\([^()]*\))?[^()]*\)/g, "")));
    found = fc.sample(simple, { numRuns: MATCHES, seed: 1 });
    matches.set(pattern, found);
  }
  return found;
}
