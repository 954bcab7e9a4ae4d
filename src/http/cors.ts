/**
 * The API for web pages of other origins: those that `ALLOWED_ORIGINS` lists, and no other. Nothing is a cookie, so no
 * credentials are allowed either: a page sends its token itself.
 */
import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { readConfig } from "../config.ts";
import type { Bindings } from "./call.ts";

/** How long a browser need not ask again; Chromium takes 2 h at most. */
const PREFLIGHT_SECONDS = 7_200;

const allowed = cors({
  // Only the origins that are listed get here.
  origin: (origin) => origin,
  allowMethods: ["GET", "HEAD", "POST", "PUT", "DELETE"],
  allowHeaders: ["authorization", "content-type", "last-event-id"],
  exposeHeaders: ["location", "retry-after"],
  maxAge: PREFLIGHT_SECONDS,
});

/** Whoever is not listed is answered as if there were no such thing. */
export const crossOrigin: MiddlewareHandler<{ Bindings: Bindings }> = async (c, next) => {
  const result = readConfig(c.env);
  const isAllowed = result.ok && result.config.allowedOrigins.has(c.req.header("origin") ?? "");
  return isAllowed ? allowed(c, next) : next();
};
