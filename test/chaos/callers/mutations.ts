/**
 * Spoils calls. Whatever is done to one, it stays well framed: it must be answered. What breaks HTTP itself is in
 * raw-attacks.ts.
 */
import { IN_BYTES, IN_TREE } from "./body-mutations.ts";
import type { Call, Mutations } from "./call.ts";
import { IN_HEAD } from "./head-mutations.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

const ALL: readonly (readonly [weight: number, mutations: Mutations])[] = [
  [8, IN_TREE],
  [3, IN_BYTES],
  [7, IN_HEAD],
];

/** Spoils the call in one to three ways. */
export function spoil(call: Call, random: Random, world: World): void {
  for (
    let i = random.weighted([
      [6, 1],
      [3, 2],
      [1, 3],
    ]);
    i > 0;
    i--
  ) {
    const hasTree = call.tree !== null && call.bytes === null;
    const mutations = random.weighted(ALL.filter(([, some]) => some !== IN_TREE || hasTree));
    const name = random.pick(Object.keys(mutations));
    // A large body is costly; one in many is enough.
    if (name === "too large" && random.chance(0.85)) continue;
    mutations[name]?.(call, random, world);
    call.spoiled.push(name);
  }
}
