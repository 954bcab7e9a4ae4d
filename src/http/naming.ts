/**
 * The three ways of naming a request, reduced to one: `endpoint` + `request_id`, `fetch_url`, and `response`, the
 * provider's generation answer. Whatever is given must agree, except that a `fetch_result` wins over `endpoint`: the
 * provider answers with another version's URL at times. Pure.
 */
import { parseAnswer } from "../provider/answer.ts";
import { type FetchUrl, type FetchUrlProblem, isRequestId, parseFetchUrl } from "../provider/endpoints.ts";
import { readQueued } from "../provider/generation.ts";
import { classify } from "../provider/response.ts";
import { type Problem, problem } from "./problem.ts";

export interface NamingInput {
  readonly endpoint: string | null;
  readonly requestId: string | null;
  readonly fetchUrl: string | null;
  /** Raw JSON text of an object. */
  readonly response: string | null;
}

export interface NamingRules {
  readonly providerOrigins: readonly string[];
  readonly defaultEndpoint: string;
  /** Taken out of a final answer, should the provider have echoed it. */
  readonly key: string | null;
}

export interface NamedRequest {
  readonly endpoint: string;
  readonly requestId: string;
  /** `null`: none was named. */
  readonly origin: string | null;
  /** Seconds, from the provider's answer. */
  readonly etaSeconds: number | null;
  /** The provider's answer when it is a success with output already. */
  readonly finalAnswer: Uint8Array | null;
}

const URL_FAULTS: Readonly<Record<FetchUrlProblem, string>> = {
  not_a_url: "must be an absolute http(s) URL",
  credentials: "must not carry a user name or password",
  origin_not_listed: "is on an origin that is not one of the provider's (PROVIDER_ORIGINS)",
  not_a_fetch_url: "must look like https://modelslab.com/api/<endpoint>/fetch/<id>",
};

interface Answer {
  readonly fetchResult: FetchUrl | null;
  readonly id: string | null;
  readonly etaSeconds: number | null;
  readonly finalAnswer: Uint8Array | null;
}

/** The one request that `input` names, or the field that is wrong. */
export function nameRequest(input: NamingInput, rules: NamingRules): NamedRequest | Problem {
  const url = input.fetchUrl === null ? null : readUrl(input.fetchUrl, "fetch_url", rules);
  if (url && "kind" in url) return url;
  const answer = input.response === null ? null : readResponse(input.response, rules);
  if (answer && "kind" in answer) return answer;

  const disagreement =
    findDisagreement("endpoint", [
      ["fetch_url", url?.endpoint],
      answer?.fetchResult
        ? ["response.fetch_result", answer.fetchResult.endpoint]
        : ["endpoint", input.endpoint],
    ]) ??
    // A fetch_result overrules `endpoint`; a fetch_url beside it does not.
    findDisagreement("id", [
      ["fetch_url", url?.requestId],
      ["response.id", answer?.id],
      ["response.fetch_result", answer?.fetchResult?.requestId],
      ["request_id", input.requestId],
    ]);
  if (disagreement) return disagreement;

  const requestId = input.requestId ?? url?.requestId ?? answer?.id ?? answer?.fetchResult?.requestId ?? null;
  if (requestId === null) return missingId(input);
  const named = answer?.fetchResult ?? url;
  const endpoint = named?.endpoint ?? input.endpoint ?? (answer ? null : rules.defaultEndpoint);
  if (endpoint === null)
    return problem("invalid_value", "endpoint is needed: the response carries no fetch_result.", {
      field: "endpoint",
    });
  return {
    endpoint,
    requestId,
    origin: named?.origin ?? null,
    etaSeconds: answer?.etaSeconds ?? null,
    finalAnswer: answer?.finalAnswer ?? null,
  };
}

function readUrl(text: string, field: string, rules: NamingRules): FetchUrl | Problem {
  const url = parseFetchUrl(text, rules.providerOrigins);
  return typeof url === "string" ? urlProblem(url, field) : url;
}

const urlProblem = (fault: FetchUrlProblem, field: string): Problem =>
  problem("invalid_value", `${field} ${URL_FAULTS[fault]}.`, { field });

/** Reads the provider's generation answer; a refusal in it is refused here too. */
function readResponse(text: string, rules: NamingRules): Answer | Problem {
  const refuse = (field: string, what: string) => problem("invalid_value", `${field} ${what}`, { field });
  const parsed = parseAnswer(new TextEncoder().encode(text), rules.key);
  if (!parsed) return refuse("response", "must be the provider's answer, a JSON object.");
  const seen = { status: 200, headers: new Headers(), json: parsed.json, end: "complete" } as const;
  const verdict = classify(seen, 0);
  if (verdict.kind === "failed" || verdict.kind === "not_found")
    return problem(
      "generation_failed",
      "response says that the provider refused or failed; nothing will come.",
      {
        field: "response",
      },
    );
  if (verdict.kind === "transient")
    return verdict.cause === "rate_limited"
      ? problem(
          "generation_failed",
          "response is a rate limit, not a queued generation; generate again later.",
          {
            field: "response",
          },
        )
      : refuse("response.status", "is missing; send the provider's generation answer as it came.");

  const queued = readQueued(parsed, rules.providerOrigins);
  if (typeof queued.fetchResult === "string") return urlProblem(queued.fetchResult, "response.fetch_result");
  if (queued.id !== null && !isRequestId(queued.id))
    return refuse("response.id", "must be a number or 1 to 128 of the characters A-Z a-z 0-9 _ -.");
  return {
    fetchResult: queued.fetchResult,
    id: queued.id,
    etaSeconds: queued.etaSeconds,
    finalAnswer: verdict.kind === "succeeded" ? parsed.bytes : null,
  };
}

type Named = readonly [field: string, value: string | null | undefined];

/** All values that are there must be the same; the later one is the field at fault. */
export function findDisagreement(what: string, names: readonly Named[]): Problem | null {
  const [first, ...others] = names.filter(([, value]) => value !== null && value !== undefined);
  const other = others.find(([, value]) => value !== first?.[1]);
  if (!first || !other) return null;
  const detail = `${other[0]} and ${first[0]} name different ${what}s; send one of them, or make them agree.`;
  return problem("invalid_value", detail, { field: other[0] });
}

function missingId({ fetchUrl, response }: NamingInput): Problem {
  const remedy =
    fetchUrl !== null
      ? "fetch_url carries no id; send request_id too."
      : response !== null
        ? "response carries no id; send request_id too."
        : "send request_id, fetch_url or response.";
  return problem("invalid_value", `request_id is missing: ${remedy}`, { field: "request_id" });
}
