/**
 * Tokens that must open nothing, as a table. Those of whom only the one thing is wrong are signed with the right key, which
 * no attacker has: so nothing else can be what refuses them. Rights that are missing are another table.
 */
import { deriveKey } from "../../../src/crypto/keys.ts";
import { claims, shapes } from "./content-attacks.ts";
import { hmac } from "./forge.ts";
import { algorithms, headers, keyIds, keys } from "./header-attacks.ts";
import type { Attack, Victim } from "./victim.ts";

/** All of them, each with another text. */
export async function attacks(victim: Victim): Promise<Attack[]> {
  const { master } = victim;
  const right = hmac(await deriveKey(master, "token"));
  const all = [
    ...(await algorithms(victim, right)),
    ...(await keys(victim)),
    ...(await keyIds(victim, right)),
    ...(await headers(victim, right)),
    ...(await claims(victim, right)),
    ...(await shapes(victim, right)),
  ];
  return [...new Map(all.map((attack) => [attack.token, attack])).values()];
}

/** Every way to shorten a token, to change one of its characters, and to write its last one otherwise. */
export function sweep(good: string): string[] {
  const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const shortened = Array.from({ length: good.length - 1 }, (_, i) => good.slice(0, i + 1));
  const other = (char: string, step: number): string =>
    ALPHABET[(ALPHABET.indexOf(char) + step) % ALPHABET.length] ?? "A";
  const changed = [...good].flatMap((char, i) =>
    [1, 32].map((step) => good.slice(0, i) + other(char, step) + good.slice(i + 1)),
  );
  // The last character carries four bits of the signature and two that stand for nothing.
  const ended = [...ALPHABET].map((char) => good.slice(0, -1) + char);
  return [...new Set([...shortened, ...changed, ...ended])].filter((token) => token !== good);
}
