/**
 * Types held against each other by the compiler: a file that says `is<Same<A, B>>()` does not compile when they differ.
 */
export type Frozen<T> = T extends (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Name in keyof T]: Frozen<T[Name]> }
    : T;

/** The same members, each of which takes what the other takes. */
export type Same<A, B> = [keyof A, A, B] extends [keyof B, B, A]
  ? [keyof B] extends [keyof A]
    ? true
    : false
  : false;

export const is = <_T extends true>(): void => {};
