/**
 * Names a request as a registration does.
 */
import { type NamedRequest, type NamingInput, type NamingRules, nameRequest } from "../../src/http/naming.ts";
import type { Problem } from "../../src/http/problem.ts";

const RULES: NamingRules = {
  providerOrigins: ["https://modelslab.com", "https://stablediffusionapi.com"],
  defaultEndpoint: "v3",
  key: "sk-caller-4f9d2c71b8",
};

const NOTHING: NamingInput = { endpoint: null, requestId: null, fetchUrl: null, response: null };

interface Given extends Partial<Omit<NamingInput, "response">> {
  /** JSON text, or an object that is written as JSON. */
  readonly response?: string | object;
}

export function name(
  { response, ...given }: Given,
  rules: Partial<NamingRules> = {},
): NamedRequest | Problem {
  const text = typeof response === "object" ? JSON.stringify(response) : (response ?? null);
  return nameRequest({ ...NOTHING, ...given, response: text }, { ...RULES, ...rules });
}

/** What a named request is, where nothing else is said. */
export const named = (fields: Partial<NamedRequest>): NamedRequest => ({
  endpoint: "v3",
  requestId: "1",
  origin: null,
  etaSeconds: null,
  finalAnswer: null,
  ...fields,
});

/** A refusal on `field`. */
export const refusal = (field: string, code = "invalid_value") => ({ kind: "problem", code, field });
