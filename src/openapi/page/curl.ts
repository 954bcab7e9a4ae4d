/**
 * The calls that the page shows, to be pasted into a shell from top to bottom. What differs from place to place stands in
 * variables: where Pollhook, the provider and the reader's own app are, the token, and the ids that calls before have
 * brought. test/e2e/examples.test.ts runs all of them as they are printed.
 */
import type { Example, Placed } from "./operation.ts";

/** What stands in the document, and what on the page. */
const VARIABLES = {
  "https://modelslab.com": "$MODELSLAB_URL",
  "https://your-app.example.com": "$PUBLIC_URL",
} as const;

/** What later calls need of an answer, by operation and example: the variable, and what it begins with. */
const KEEPS: Readonly<Record<string, Readonly<Record<string, readonly [variable: string, prefix: string]>>>> =
  {
    registerJob: { request_id: ["JOB_ID", "job_"], fetch_url: ["OTHER_JOB_ID", "job_"] },
    redeliverJobs: { begin: ["OPERATION_ID", "op_"] },
  };
/** In place of ids in paths. The first job is over when it is the turn of this one. */
const OTHER_JOB: ReadonlySet<string> = new Set(["cancelJob"]);

/** The call of one example. */
export function curl(operation: Placed, name: string, { value: body }: Pick<Example, "value">): string {
  const { operationId, method, security, responses } = operation;
  const isStream = responses["200"]?.content?.["text/event-stream"] !== undefined;
  const verb =
    method === "get" || (method === "post" && body !== undefined) ? "" : ` -X ${method.toUpperCase()}`;
  const [variable, prefix] = KEEPS[operationId]?.[name] ?? [];
  const how = `${variable ? " -s" : ""}${isStream ? " -N" : ""}`;
  const call = [
    `curl${how}${verb} "${urlOf(operation, name)}"`,
    ...(security.length > 0 ? ['-H "authorization: Bearer $POLLHOOK_TOKEN"'] : []),
    ...(body === undefined ? [] : ['-H "content-type: application/json"', `-d '${quoted(body)}'`]),
  ].join(" \\\n  ");
  return variable === undefined
    ? call
    : `${variable}=$(${call} |\n  tee /dev/stderr | grep -o '${prefix}[a-z0-9]*' | head -n 1)`;
}

function urlOf({ operationId, path, parameters = [] }: Placed, name: string): string {
  const query = parameters.flatMap(({ in: place, name, example, schema }) =>
    place === "query" && example !== undefined && example !== schema.default ? pairsOf(name, example) : [],
  );
  const place = parameters.reduce((text, { name: parameter, example, examples }) => {
    const value = String(examples?.[name]?.value ?? example);
    return text.replace(`{${parameter}}`, idOf(operationId, value) ?? encodeURIComponent(value));
  }, path);
  return `$POLLHOOK_URL${place}${query.length > 0 ? `?${query.join("&")}` : ""}`;
}

function idOf(operationId: string, value: string): string | null {
  if (value.startsWith("op_")) return "$OPERATION_ID";
  if (!value.startsWith("job_")) return null;
  return OTHER_JOB.has(operationId) ? "$OTHER_JOB_ID" : "$JOB_ID";
}

const pairsOf = (name: string, example: unknown): string[] =>
  typeof example === "object"
    ? Object.entries(example ?? {}).map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`)
    : [`${name}=${encodeURIComponent(String(example))}`];

/** Inside single quotes, which variables of the shell leave for a moment. */
function quoted(body: unknown): string {
  const text = JSON.stringify(body, null, 2).replaceAll("'", "'\\''");
  const named = Object.entries(VARIABLES).reduce((all, [said, name]) => all.replaceAll(said, name), text);
  return named.replace(/\$[A-Z]+_[A-Z]+/g, (variable) => `'"${variable}"'`);
}
