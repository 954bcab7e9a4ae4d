/**
 * Holds a caller's body against its schema; what is wrong comes back as a problem that names the field and the
 * remedy.
 */
import * as v from "valibot";
import { isPlainObject } from "../provider/fields.ts";
import { readJson } from "./body.ts";
import { isProblem, type Problem, problem } from "./problem.ts";

/** The body as `schema` reads it, or the first thing wrong with it: one clear answer, not a list to decipher. */
export function parseBody<const Schema extends v.GenericSchema>(
  schema: Schema,
  json: unknown,
): v.InferOutput<Schema> | Problem {
  // valibot takes an array for an object.
  if (!isPlainObject(json)) return problem("invalid_value", "The body must be a JSON object.");
  const parsed = v.safeParse(schema, json);
  return parsed.success ? parsed.output : explain(parsed.issues[0]);
}

export const between = (least: number, most: number, help: string) =>
  v.pipe(v.number(help), v.minValue(least, help), v.maxValue(most, help));

/** `unit` as it is said behind "a whole number". */
export const whole = (least: number, most: number, unit = "") => {
  const help = `must be a whole number${unit} from ${least} to ${most}`;
  return v.pipe(between(least, most, help), v.integer(help));
};

/** The body of a call that needs nothing said. */
export const EmptyBody = v.strictObject({});

/** The body of a call that may come without one, which is the same as an empty object. */
export async function readOptional<const Schema extends v.GenericSchema>(
  request: Request,
  schema: Schema,
): Promise<v.InferOutput<Schema> | Problem> {
  const body = await readJson(request);
  return isProblem(body) ? body : parseBody(schema, body?.json ?? {});
}

/** Values are never repeated. */
function explain(issue: v.BaseIssue<unknown>): Problem {
  const field = (issue.path ?? []).map(({ key }) => String(key)).join(".");
  if (issue.type === "strict_object" && issue.expected !== "never" && field !== "")
    return problem("invalid_value", `${field} is missing.`, { field });
  if (issue.type !== "strict_object" || issue.expected !== "never")
    return problem("invalid_value", `${field} ${issue.message}.`, { field });
  const name = shorten(field);
  return problem("unknown_field", `"${name}" is not a field of this request; leave it out.`, { field: name });
}

/** A name made up by the caller is repeated, but not at any length. */
export const shorten = (name: string): string => (name.length > 64 ? `${name.slice(0, 63)}…` : name);
