/**
 * A world of names, times and requests so small that chains of tokens meet in it, and that all that a token allows can
 * be tried.
 */
import { mayCall, outside, reaches } from "../../src/crypto/rights.ts";
import type { Claims } from "../../src/crypto/token.ts";

export const NAMES = ["a", "b", "c"];
export const ENDPOINTS = ["v3", "v6/video", "v4/dreambooth"];
export const SCOPES = ["jobs:read", "jobs:write", "tokens:write"];
/** Ends of lives, and deadlines in seconds. */
export const TIMES = [100, 200, 300];
export const originOf = (name: string): string => `https://${name}.example`;

/** All that a token of this world lets its bearer do, each as a line. */
export function deeds({ scope, exp, own, bnd = {} }: Claims): Set<string> {
  const places = ENDPOINTS.flatMap((endpoint) => NAMES.map((requestId) => ({ endpoint, requestId })));
  const callbacks = [
    { callbackUrl: null, destination: null },
    ...NAMES.map((name) => ({ callbackUrl: `${originOf(name)}/hook`, destination: null })),
    ...NAMES.map((destination) => ({ callbackUrl: null, destination })),
  ];
  const jobs = [undefined, ...NAMES].flatMap((owner) =>
    places.map((place) => ({ ...place, ...(owner !== undefined && { owner }) })),
  );
  return new Set([
    ...scope.split(" ").map((word) => `may ${word}`),
    ...TIMES.filter((at) => at <= exp).map((at) => `lives at ${at}`),
    ...TIMES.filter((seconds) => seconds <= (bnd.ddl ?? 300)).map((seconds) => `watches for ${seconds}`),
    ...places.filter((place) => !outside(bnd, place)).map((place) => `watches ${JSON.stringify(place)}`),
    ...callbacks.filter((to) => mayCall(bnd, to)).map((to) => `calls ${JSON.stringify(to)}`),
    ...jobs.filter((job) => reaches({ own }, job)).map((job) => `reads ${JSON.stringify(job)}`),
    ...jobs.filter((job) => reaches({ own, bnd }, job)).map((job) => `changes ${JSON.stringify(job)}`),
  ]);
}
