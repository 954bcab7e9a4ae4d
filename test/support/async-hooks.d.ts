/** As much of workerd's `node:async_hooks` as tests use: its types come with Node's, which a Worker must not see. */
declare module "node:async_hooks" {
  export class AsyncLocalStorage<Store> {
    getStore(): Store | undefined;
    run<Result>(store: Store, call: () => Result): Result;
  }
}
