/**
 * Pure: checks of what the control routes are sent. A check looks at one value and names the field that is
 * wrong; checks compose into shapes. Unknown fields are refused: a misspelt option would otherwise make a
 * test pass for the wrong reason.
 */
export interface Problem {
  /** Dotted path of the value at fault, e.g. `[2].misbehaviours[0].kind`; `body` for all of it. */
  field: string;
  message: string;
}

export type Check = (value: unknown, field: string) => Problem | null;

function expect(field: string, passes: boolean, message: string): Problem | null {
  return passes ? null : { field: field === "" ? "body" : field, message };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export const text: Check = (value, field) => expect(field, typeof value === "string", "must be a string");

export const flag: Check = (value, field) =>
  expect(field, typeof value === "boolean", "must be true or false");

export const nothing: Check = (value, field) => expect(field, value === null, "must be null");

export const anyObject: Check = (value, field) => expect(field, isRecord(value), "must be an object");

/** `""`, `[]` or `{}`: what an `output` without content looks like. */
export const empty: Check = (value, field) =>
  expect(field, ['""', "[]", "{}"].includes(JSON.stringify(value) ?? ""), 'must be "", [] or {}');

/** A number from `least` up; infinity is one too ("never", from a caller in the same process). */
export const atLeast =
  (least: number): Check =>
  (value, field) =>
    expect(field, typeof value === "number" && value >= least, `must be a number, ${least} or more`);

export const integer =
  (least: number, most = Number.MAX_SAFE_INTEGER): Check =>
  (value, field) => {
    const passes = Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
    return expect(field, passes, `must be an integer from ${least} to ${most}`);
  };

/** A status that ends an exchange; 1xx would leave the client waiting. */
export const httpStatus = integer(200, 599);

export const matching =
  (pattern: RegExp, like: string): Check =>
  (value, field) =>
    expect(field, typeof value === "string" && pattern.test(value), `must be a string like ${like}`);

export const oneOf =
  (...words: readonly string[]): Check =>
  (value, field) =>
    expect(field, typeof value === "string" && words.includes(value), `must be one of ${words.join(", ")}`);

export const optional =
  (check: Check): Check =>
  (value, field) =>
    value === undefined ? null : check(value, field);

/** Passes when one of the checks does; `expected` says what would have. */
export const either =
  (expected: string, ...checks: readonly Check[]): Check =>
  (value, field) =>
    expect(
      field,
      checks.some((check) => check(value, field) === null),
      `must be ${expected}`,
    );

function firstProblem(check: Check, entries: Iterable<readonly [string, unknown]>): Problem | null {
  for (const [field, value] of entries) {
    const found = check(value, field);
    if (found !== null) return found;
  }
  return null;
}

const inside = (field: string, name: string) => (field === "" ? name : `${field}.${name}`);

export const listOf =
  (check: Check): Check =>
  (value, field) =>
    Array.isArray(value)
      ? firstProblem(
          check,
          value.map((item, index) => [`${field}[${index}]`, item]),
        )
      : expect(field, false, "must be an array");

/** An object with any names, whose values all pass. */
export const mapOf =
  (check: Check): Check =>
  (value, field) =>
    isRecord(value)
      ? firstProblem(
          check,
          Object.entries(value).map(([name, item]) => [inside(field, name), item]),
        )
      : anyObject(value, field);

export const object =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value, field) => {
    if (!isRecord(value)) return anyObject(value, field);
    for (const name of Object.keys(value)) {
      if (!Object.hasOwn(fields, name)) return expect(inside(field, name), false, "is not a known field");
    }
    for (const [name, check] of Object.entries(fields)) {
      const found = check(value[name], inside(field, name));
      if (found !== null) return value[name] === undefined ? { ...found, message: "is required" } : found;
    }
    return null;
  };

/** An object whose `kind` says which of the shapes it has. */
export const tagged =
  (shapes: Readonly<Record<string, Readonly<Record<string, Check>>>>): Check =>
  (value, field) => {
    if (!isRecord(value)) return anyObject(value, field);
    const wrongKind = oneOf(...Object.keys(shapes))(value.kind, inside(field, "kind"));
    return wrongKind ?? object({ kind: text, ...shapes[String(value.kind)] })(value, field);
  };

/** For callers in the same process: the same check, as an exception. */
export function assertValid(what: string, value: unknown, check: Check): void {
  const found = check(value, "");
  if (found !== null) throw new TypeError(`${what}: ${found.field} ${found.message}`);
}
