/** What is used of the runtime's own `node:crypto`; all of Node's types would promise more than a Worker has. */
declare module "node:crypto" {
  interface Hash {
    update(data: string | Uint8Array): Hash;
    digest(): Uint8Array<ArrayBuffer>;
  }
  export function createHash(algorithm: "sha256"): Hash;
  export function createHmac(algorithm: "sha256", key: Uint8Array): Hash;
  /** Throws when the lengths differ. */
  export function timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean;
}
