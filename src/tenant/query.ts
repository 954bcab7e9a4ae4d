/**
 * Filters of a list of jobs, as SQL, and the cursor that goes on where a page ended. Pure.
 */

import { decodeBase64Url, encodeBase64Url } from "hono/utils/encode";
import type { JobKey } from "../job/row.ts";

export interface JobFilter {
  readonly status?: string | undefined;
  readonly outcome?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly requestId?: string | undefined;
  readonly destination?: string | undefined;
  readonly host?: string | undefined;
  readonly owner?: string | undefined;
  /** Epoch ms; later than this… */
  readonly createdAfter?: number | undefined;
  /** …and earlier than this. */
  readonly createdBefore?: number | undefined;
  /** Each of these indexed metadata has this value, given as text. */
  readonly metadata?: readonly (readonly [name: string, value: string])[];
}

/** The last job of a page: the next begins behind it. */
export type Cursor = JobKey;

export interface Where {
  readonly sql: string;
  readonly args: readonly (string | number)[];
}

/** As JSON writes one: nothing else may stand in a search as it is. */
const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

const COLUMNS = [
  ["status", "status"],
  ["outcome", "outcome"],
  ["endpoint", "endpoint"],
  ["requestId", "request_id"],
  ["destination", "destination"],
  ["host", "host"],
  ["owner", "owner"],
] as const;

/** The condition of a list: rows that are still kept at `now`, fit the filter and stand behind the cursor. */
export function where(filter: JobFilter, cursor: Cursor | null, now: number): Where {
  const conditions = ["keep_until > ?"];
  const args: (string | number)[] = [now];
  const add = (condition: string, ...values: (string | number)[]): void => {
    conditions.push(condition);
    args.push(...values);
  };
  if (cursor) add("(registered_at, id) < (?, ?)", cursor.registeredAt, cursor.id);
  if (filter.createdBefore !== undefined) add("registered_at < ?", filter.createdBefore);
  if (filter.createdAfter !== undefined) add("registered_at > ?", filter.createdAfter);
  for (const [name, column] of COLUMNS) {
    const value = filter[name];
    if (value !== undefined) add(`${column} = ?`, value);
  }
  for (const [name, value] of filter.metadata ?? []) {
    const key = `,${JSON.stringify(name)}:`;
    const text = `${key}${JSON.stringify(value)},`;
    // A value is given as text: a number and a string that look alike are both found.
    if (NUMBER.test(value)) add("(instr(indexed, ?) OR instr(indexed, ?))", `${key}${value},`, text);
    else add("instr(indexed, ?)", text);
  }
  return { sql: conditions.join(" AND "), args };
}

export const writeCursor = ({ registeredAt, id }: Cursor): string => encodeCursor(`${registeredAt}.${id}`);

/** `null` for what is no cursor of ours. */
export function readCursor(text: string): Cursor | null {
  const [, registeredAt, id] = /^(\d{1,15})\.(job_[a-z2-7]{32})$/.exec(decodeCursor(text)) ?? [];
  return registeredAt === undefined || id === undefined ? null : { registeredAt: Number(registeredAt), id };
}

/** Text that says nothing to a caller, so that nobody builds one. */
export const encodeCursor = (text: string): string =>
  encodeBase64Url(new TextEncoder().encode(text).buffer).replace(/=+$/, "");

/** Empty for what {@link encodeCursor} cannot have written. */
export function decodeCursor(text: string): string {
  try {
    return new TextDecoder().decode(decodeBase64Url(text));
  } catch {
    return "";
  }
}
