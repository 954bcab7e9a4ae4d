/**
 * No test reaches the network by accident: a `fetch` that nobody scripted fails, also one that an alarm makes after
 * its test has ended.
 */
globalThis.fetch = (input) => {
  const url = input instanceof Request ? input.url : String(input);
  return Promise.reject(new Error(`unscripted request: ${url}`));
};
