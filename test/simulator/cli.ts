/**
 * The simulator by hand: a provider that invents every request it is asked for, and a receiver, each logging
 * what reaches it until SIGINT or SIGTERM. Nothing here is needed by the tests.
 */
import { parseArgs } from "node:util";
import { DEFAULT_PROVIDER_KEY, startProvider } from "./provider.ts";
import { startReceiver } from "./receiver.ts";

const USAGE = `Usage: npm run simulator -- [options]

Starts a stand-in for ModelsLab and a webhook receiver on 127.0.0.1.

  --provider-port <port>  port of the provider (default: a free one)
  --receiver-port <port>  port of the receiver (default: a free one)
  --key <key>             provider key to accept, repeatable (default: ${DEFAULT_PROVIDER_KEY})
  --secret <whsec_...>    secret to verify deliveries with, repeatable (default: none, all are accepted)
  --help                  this text

Both are told what to do over HTTP; a wrong field is answered with its name and what it may be.

  provider   POST   /_sim/requests    queue {endpoint, id, key?, readyAfterMs?, eta?, answer?, misbehaviours?} or a list
             GET    /_sim/requests    what is queued         GET /_sim/calls   what was asked
             PUT    /_sim/limits      {key, perSecond, retryAfterSeconds?}: fetch calls a second, 429 over it; null lifts it
             GET    /_sim/limits      with what was served and refused
             DELETE /_sim             forget all of it
             misbehaviours, such as {"kind": "drip", "everyMs": 10}:
             rate-limit {retryAfterSeconds?}, rate-limit-200, server-error {status?}, html {status?}, truncated-json,
             hang, drip {everyMs?}, huge {bytes}, redirect {location, status?}, wrong-content-type, close-halfway,
             empty-success {output?}, failure {message, status?, spelling?, httpStatus?}, raw {status?, headers?, body?}
  receiver   POST   /_sim/program     {path, steps}: what the next requests to /hook… are answered
             PUT    /_sim/service     {step}: what all the others are answered, from now on
             POST   /_sim/secrets     {secrets}              GET /_sim/deliveries?path=   what arrived
             GET    /_sim/in-flight?path=   how many are being answered now, and were at most
             DELETE /_sim             forget all of it
             steps, such as {"kind": "fail", "status": 503}:
             normal, fail {status, headers?, body?}, gone, retry-after {after, status?}, hang, drip {status?, everyMs?},
             redirect {location, status?}, close-halfway {status?}, destroy, slow {ms}, huge {bytes, status?}
`;

interface Settings {
  providerPort: number;
  receiverPort: number;
  keys: string[];
  secrets: string[];
}

/** `null` asks for the usage. Throws an error fit to be shown when the arguments are no good. */
function readArguments(): Settings | null {
  const { values } = parseArgs({
    options: {
      "provider-port": { type: "string", default: "0" },
      "receiver-port": { type: "string", default: "0" },
      key: { type: "string", multiple: true, default: [DEFAULT_PROVIDER_KEY] },
      secret: { type: "string", multiple: true, default: [] },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return null;
  return {
    providerPort: portNumber("--provider-port", values["provider-port"]),
    receiverPort: portNumber("--receiver-port", values["receiver-port"]),
    keys: values.key,
    secrets: values.secret,
  };
}

function portNumber(flag: string, value: string): number {
  const port = Number(value);
  if (!/^\d+$/.test(value) || port > 65_535) throw new Error(`${flag} must be a port from 0 to 65535`);
  return port;
}

function examples(provider: string, receiver: string, key: string): string {
  const json = "-H 'content-type: application/json'";
  return `Provider  ${provider}   (key: ${key})
Receiver  ${receiver}/hook

Ask the provider (an unknown id is invented and ready 4 s later):
  curl -X POST ${provider}/api/v3/fetch/12202888 ${json} -d '{"key":"${key}"}'
Queue a request that fails once and is ready after 10 s:
  curl ${provider}/_sim/requests ${json} -d '{"endpoint":"v6/video","id":7,"readyAfterMs":10000,"misbehaviours":[{"kind":"html"}]}'
See what the provider has and was asked, or forget it all:
  curl ${provider}/_sim/requests
  curl ${provider}/_sim/calls
  curl -X DELETE ${provider}/_sim
Have the receiver verify signatures, and refuse the next two deliveries to one path:
  curl ${receiver}/_sim/secrets ${json} -d '{"secrets":["whsec_..."]}'
  curl ${receiver}/_sim/program ${json} -d '{"path":"/hook/a","steps":[{"kind":"fail","status":500},{"kind":"retry-after","after":5}]}'
See what was delivered, or forget it all:
  curl '${receiver}/_sim/deliveries?path=/hook/a'
  curl -X DELETE ${receiver}/_sim
`;
}

async function run({ providerPort, receiverPort, keys, secrets }: Settings): Promise<void> {
  const provider = await startProvider({
    port: providerPort,
    keys,
    invent: true,
    onCall: ({ method, path, status }) =>
      console.log(`provider  ${method} ${path} -> ${status ?? "no answer"}`),
  });
  const receiver = await startReceiver({
    port: receiverPort,
    secret: secrets,
    onDelivery: ({ method, path, status, verified, verifyError }) => {
      const signature = verified ? "verified" : `not verified: ${verifyError ?? "unknown"}`;
      console.log(`receiver  ${method} ${path} -> ${status ?? "no answer"} (${signature})`);
    },
  });
  console.log(examples(provider.origin, receiver.origin, keys[0] ?? DEFAULT_PROVIDER_KEY));

  const stop = async () => {
    await Promise.all([provider.close(), receiver.close()]);
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
}

try {
  const settings = readArguments();
  if (settings === null) process.stdout.write(USAGE);
  else await run(settings);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exit(2);
}
