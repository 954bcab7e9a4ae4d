/**
 * What plain workerd is told to run the Worker with its storage on disk, as the text of its configuration. Pure.
 * Whoever writes it into a file says where that is: the script's path is taken from there.
 */

export interface WorkerdConfig {
  /** Where it listens, `host:port`; there is no TLS. */
  readonly address: string;
  /** The bundled Worker, one ES module, by its path relative to the folder of the configuration. */
  readonly scriptPath: string;
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly objects: readonly ObjectClass[];
  /** An existing folder; all that is durable is below it. Taken from the folder that workerd is started in. */
  readonly diskPath: string;
  /** By the name of the binding. */
  readonly vars: Readonly<Record<string, Variable>>;
  /** What `fetch` may reach: `public`, `private`, `local`, or CIDR blocks. Names are looked up before they are judged. */
  readonly allow: readonly string[];
}

export interface ObjectClass {
  readonly binding: string;
  readonly className: string;
  /** Names the class's folder on disk and goes into every object's id: another key is another, empty storage. */
  readonly uniqueKey: string;
}

/** The value itself, or the name of an environment variable of workerd's; one that is not set is `null` to the Worker. */
export type Variable = string | { readonly fromEnvironment: string };

/** Names inside the configuration; nobody else sees them. */
const WORKER = "worker";
const INTERNET = "internet";
const DISK = "disk";

/** The configuration in the Cap'n Proto text format of workerd's `workerd.capnp`. */
export function workerdConfig(config: WorkerdConfig): string {
  const { address, diskPath, allow } = config;
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = ${text(WORKER)}, worker = .worker),
    (name = ${text(INTERNET)}, network = (allow = ${list(allow.map(text))}, tlsOptions = (trustBrowserCas = true))),
    (name = ${text(DISK)}, disk = (path = ${text(diskPath)}, writable = true)),
  ],
  sockets = [(name = "http", address = ${text(address)}, http = (), service = ${text(WORKER)})],
);

const worker :Workerd.Worker = ${worker(config)};
`;
}

function worker({ scriptPath, compatibilityDate, compatibilityFlags, objects, vars }: WorkerdConfig): string {
  const classes = objects.map(
    ({ className, uniqueKey }) =>
      `(className = ${text(className)}, uniqueKey = ${text(uniqueKey)}, enableSql = true)`,
  );
  const bindings = [
    ...objects.map(
      ({ binding, className }) => `(name = ${text(binding)}, durableObjectNamespace = ${text(className)})`,
    ),
    ...Object.entries(vars).map(([name, value]) => `(name = ${text(name)}, ${variable(value)})`),
  ];
  return `(
  modules = [(name = "index.js", esModule = embed ${text(scriptPath)})],
  compatibilityDate = ${text(compatibilityDate)},
  compatibilityFlags = ${list(compatibilityFlags.map(text))},
  globalOutbound = ${text(INTERNET)},
  durableObjectNamespaces = ${lines(classes)},
  durableObjectStorage = (localDisk = ${text(DISK)}),
  bindings = ${lines(bindings)},
)`;
}

const variable = (value: Variable): string =>
  typeof value === "string" ? `text = ${text(value)}` : `fromEnvironment = ${text(value.fromEnvironment)}`;

const list = (items: readonly string[]): string => `[${items.join(", ")}]`;

const lines = (items: readonly string[]): string => `[${items.map((item) => `\n    ${item},`).join("")}\n  ]`;

/** A string literal: nothing in it can end it, and no line break or control character stands in the file as such. */
function text(value: string): string {
  if (value.includes("\0")) throw new Error("A text of workerd's configuration cannot hold a NUL.");
  return `"${Array.from(value, literal).join("")}"`;
}

function literal(char: string): string {
  if (char === '"' || char === "\\") return `\\${char}`;
  const code = char.charCodeAt(0);
  return code < 0x20 || code === 0x7f ? `\\x${code.toString(16).padStart(2, "0")}` : char;
}
