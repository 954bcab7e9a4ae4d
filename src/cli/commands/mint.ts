/**
 * `pollhook token`: asks the server for a token that may do less than the caller's and lives shorter.
 */
import { type Command, command, defined, flag, needed, number, OK, text, texts } from "../command.ts";
import { answerLine, clientOf } from "../server.ts";

export const token: Command = command({
  name: "token",
  summary: "Mints a short-lived token, for a phone, say; prints it and nothing else",
  notes: "Your own token needs the scope tokens:write.",
  usage: "--scope SCOPES --expires-in SECONDS [options]",
  options: {
    scope: needed(text("SCOPES", 'what it may do: "jobs:read jobs:write"; no more than yours')),
    expiresIn: needed(number("SECONDS", "60 to 2592000")),
    requestId: text("ID", "the one request that it may register"),
    anyRequest: flag("needed with jobs:write where no request is named"),
    destination: text("NAME", "the one destination that it may name"),
    callbackOrigin: texts("URL", "where callbacks may go; several times for several"),
    endpoint: texts("NAME", "what may be registered; several times for several"),
    maxDeadline: number("SECONDS"),
    owner: text("NAME", "whose jobs it reads; a later token with the same owner goes on reading them"),
  },
  examples: [
    'pollhook token --scope "jobs:read jobs:write" --expires-in 600 --request-id 12202888 --destination app',
  ],
  async run({ args, io }) {
    const bounds = defined({
      request_id: args.requestId,
      any_request: args.anyRequest,
      destination: args.destination,
      callback_origins: args.callbackOrigin,
      endpoints: args.endpoint,
      max_deadline_seconds: args.maxDeadline,
      owner: args.owner,
    });
    const client = clientOf(io);
    const { token } = await client.mintToken({ scope: args.scope, expires_in: args.expiresIn, ...bounds });
    io.out(args.json ? answerLine(client) : token);
    return OK;
  },
});
