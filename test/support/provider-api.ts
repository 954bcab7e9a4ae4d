/**
 * Calls in the provider's own form, as code that was written against the provider makes them.
 */
import { expect } from "vitest";
import { type Answer, call, token } from "./api.ts";

/** The key that the tests' calls bring for the provider. */
export const OWN_KEY = "sk-own-7c1e5a90d2";

/** A call with a token for `acme` that may do everything but administer, unless `body` or `auth` say otherwise. */
export async function post(
  path: string,
  body: Record<string, unknown> = {},
  { auth, headers }: { auth?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const key = auth ?? (await token({ scope: "jobs:read jobs:write generations:write" }));
  return call("POST", path, {
    auth: null,
    body: { key, provider_key: OWN_KEY, ...body },
    ...(headers && { headers }),
  });
}

/** The provider's shape of a refusal, and nothing else in it. */
export function expectRefusal({ status, body, headers }: Answer, expected: number, message: RegExp): void {
  expect({ status, body }).toEqual({
    status: expected,
    body: { status: "error", message: expect.stringMatching(message) },
  });
  expect(headers.get("content-type")).toBe("application/json");
  expect(headers.get("access-control-allow-origin")).toBe("*");
}
