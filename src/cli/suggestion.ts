/**
 * Which commands a word that is none may have meant: those that it begins, else those that are one slip of the finger
 * away. Commander's own measure takes `dest` for `list`. Pure.
 */

export function suggestionFor(word: string, names: readonly string[]): string {
  const begun = names.filter((name) => word.length > 1 && name.startsWith(word));
  const meant = begun.length > 0 ? begun : names.filter((name) => word.length > 2 && isOneSlip(word, name));
  return meant.length === 0 ? "" : ` (Did you mean ${meant.join(" or ")}?)`;
}

/** A letter too many, too few or another, or two that changed places. */
function isOneSlip(word: string, name: string): boolean {
  let same = 0;
  while (same < word.length && word[same] === name[same]) same++;
  const [a, b] = [word.slice(same), name.slice(same)];
  const isSwap = a[0] === b[1] && a[1] === b[0] && a.slice(2) === b.slice(2);
  return isSwap || a.slice(1) === b.slice(1) || a.slice(1) === b || a === b.slice(1);
}
