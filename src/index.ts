/** Worker entry: the app, and the Durable Object classes. No logic. */
import { app } from "./http/app.ts";

export { Generation } from "./generation/generation.ts";
export { Job } from "./job/job.ts";
export { Limiter } from "./limiter/limiter.ts";
export { Tenant } from "./tenant/tenant.ts";
export default app satisfies ExportedHandler<import("./http/call.ts").Bindings>;
