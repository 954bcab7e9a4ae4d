/** Types the runtime's own view of this Worker: `env`, and `exports` in tests. */
import type { Bindings } from "./http/call.ts";

declare global {
  namespace Cloudflare {
    interface Env extends Bindings {}
    interface GlobalProps {
      mainModule: typeof import("./index.ts");
      durableNamespaces: "Job" | "Generation" | "Tenant" | "Limiter";
    }
  }
}
