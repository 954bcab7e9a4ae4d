/**
 * JSON as a tree that can say what JavaScript's own values cannot: members that come twice, `__proto__` as a name, numbers
 * of any size, halves of surrogate pairs. Trees are made anew for each request, and changed in place.
 */

/** Text that is written as it is. */
export class Raw {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export class Members {
  readonly list: [name: string | Raw, value: Tree][];
  constructor(list: [string | Raw, Tree][] = []) {
    this.list = list;
  }

  get(name: string): Tree | undefined {
    return this.list.find(([other]) => other === name)?.[1];
  }

  set(name: string, value: Tree): void {
    const found = this.list.find(([other]) => other === name);
    if (found) found[1] = value;
    else this.list.push([name, value]);
  }

  delete(name: string): void {
    const at = this.list.findIndex(([other]) => other === name);
    if (at !== -1) this.list.splice(at, 1);
  }
}

export type Tree = null | boolean | number | string | Raw | Tree[] | Members;

export function written(tree: Tree): string {
  if (tree instanceof Raw) return tree.text;
  if (Array.isArray(tree)) return `[${tree.map(written).join(",")}]`;
  if (tree instanceof Members)
    return `{${tree.list.map(([name, value]) => `${name instanceof Raw ? name.text : JSON.stringify(name)}:${written(value)}`).join(",")}}`;
  return JSON.stringify(tree);
}

/** A tree of a plain value. */
export function treeOf(value: unknown): Tree {
  if (Array.isArray(value)) return value.map(treeOf);
  if (typeof value === "object" && value !== null)
    return new Members(Object.entries(value).map(([name, member]) => [name, treeOf(member)]));
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : null;
}

/** A place in a tree, where another value can be put. */
export interface Spot {
  readonly value: Tree;
  replace(value: Tree): void;
}

/** Every place in the tree but its root. */
export function spotsOf(tree: Tree): Spot[] {
  if (Array.isArray(tree))
    return tree.flatMap((value, i) => [
      {
        value,
        replace: (other: Tree) => {
          tree[i] = other;
        },
      },
      ...spotsOf(value),
    ]);
  if (!(tree instanceof Members)) return [];
  return tree.list.flatMap((member) => [
    {
      value: member[1],
      replace: (other: Tree) => {
        member[1] = other;
      },
    },
    ...spotsOf(member[1]),
  ]);
}

/** All objects in the tree. */
export const objectsOf = (tree: Tree): Members[] =>
  [tree, ...spotsOf(tree).map(({ value }) => value)].filter((value) => value instanceof Members);
