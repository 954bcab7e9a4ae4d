/**
 * What makes an answer one of Pollhook's: enough of its members that the rest is believed. A login page of a network, or
 * a wrong address, answers 200, too. Pure.
 */

export type Members = Readonly<Record<string, unknown>>;
/** Whether an object is the answer that was asked for. */
export type Check = (answer: Members) => boolean;

const isText = (value: unknown): value is string => typeof value === "string";

export const isJob: Check = ({ id, status, timeline }) =>
  isText(id) && isText(status) && Array.isArray(timeline);

export const isFeedPage: Check = ({ events, next_cursor }) => Array.isArray(events) && isText(next_cursor);

/** A page of a list under this name; `next_cursor` is `null` in the last. */
export const isPageOf =
  (name: string): Check =>
  ({ [name]: items, next_cursor }) =>
    Array.isArray(items) && (next_cursor === null || isText(next_cursor));

export const isToken: Check = ({ token }) => isText(token);
export const isDestination: Check = ({ name }) => isText(name);
export const isSecret: Check = ({ secret }) => isText(secret);
export const isTestResult: Check = ({ delivered }) => typeof delivered === "boolean";

/** A parsed object; `null` for everything else that JSON has. */
export const membersOf = (value: unknown): Members | null =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Members) : null;
