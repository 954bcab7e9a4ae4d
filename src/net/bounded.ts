/**
 * Waits for what another object or server does, but not for ever.
 */

/** What `work` brings, or `late` after `ms`; a failure of `work` before that is thrown. */
export async function within<T, L>(ms: number, work: PromiseLike<T>, late: L): Promise<T | L> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const over = new Promise<L>((resolve) => {
    timer = setTimeout(() => resolve(late), ms);
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
  }
}
