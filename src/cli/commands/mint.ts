/**
 * `pollhook token`: asks the server for a token that may do less than the caller's and lives shorter.
 */
import { type Command, clientOf, command, defined, numberOf, OK, UsageError } from "../command.ts";

export const token: Command = command({
  summary: "Mints a short-lived token, for a phone, say; prints it and nothing else",
  usage: "token --scope SCOPES --expires-in SECONDS [options]",
  help: `  --scope SCOPES           what it may do: "jobs:read jobs:write"; no more than yours
  --expires-in SECONDS     60 to 2592000
  --request-id ID          the one request that it may register
  --any-request            needed with jobs:write where no request is named
  --destination NAME       the one destination that it may name
  --callback-origin URL    where callbacks may go; several times for several
  --endpoint NAME          what may be registered; several times for several
  --max-deadline SECONDS
  --owner NAME             whose jobs it reads; a later token with the same owner goes on reading them

Your own token needs the scope tokens:write.

Example:
  pollhook token --scope "jobs:read jobs:write" --expires-in 600 --request-id 12202888 --destination app`,
  options: {
    scope: { type: "string" },
    "expires-in": { type: "string" },
    "request-id": { type: "string" },
    "any-request": { type: "boolean" },
    destination: { type: "string" },
    "callback-origin": { type: "string", multiple: true },
    endpoint: { type: "string", multiple: true },
    "max-deadline": { type: "string" },
    owner: { type: "string" },
  },
  words: 0,
  async run({ args, io }) {
    const { scope } = args;
    const expiresIn = numberOf("expires-in", args["expires-in"]);
    if (scope === undefined || expiresIn === undefined)
      throw new UsageError("--scope and --expires-in are needed.");
    const bounds = defined({
      request_id: args["request-id"],
      any_request: args["any-request"],
      destination: args.destination,
      callback_origins: args["callback-origin"],
      endpoints: args.endpoint,
      max_deadline_seconds: numberOf("max-deadline", args["max-deadline"]),
      owner: args.owner,
    });
    const minted = await clientOf(io).mintToken({ scope, expires_in: expiresIn, ...bounds });
    io.out(args.json ? JSON.stringify(minted) : minted.token);
    return OK;
  },
});
