/**
 * What plain workerd is told to run the Worker with its storage on disk, as the text of its configuration. Pure.
 * Whoever writes it into a file says where that is: the paths of modules are taken from there.
 */

export interface WorkerdConfig {
  /** Where it listens, `host:port`; there is no TLS. */
  readonly address: string;
  /** The first is the one whose exports are the Worker. */
  readonly modules: readonly Module[];
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

export interface Module {
  /** What the others import it by. */
  readonly name: string;
  /** What importing it brings: what it exports, or its bytes as an `ArrayBuffer`. */
  readonly kind: "esModule" | "data";
  /** Relative to the folder of the configuration. */
  readonly path: string;
}

export interface ObjectClass {
  readonly binding: string;
  readonly className: string;
  /** Names the class's folder on disk and goes into every object's id: another key is another, empty storage. */
  readonly uniqueKey: string;
}

/** The value itself, or where it stands in workerd's own environment. */
export type Variable =
  | string
  | {
      readonly fromEnvironment: string;
      /** What it is where that is not set, or empty; without it, what is not set is `null` to the Worker. */
      readonly otherwise?: string;
    };

/** What `--socket-addr` and `--directory-path` of `workerd serve` name: operators have these in their commands. */
const SOCKET = "http";
const DISK = "data";
/** Names inside the configuration; nobody else sees them. */
const WORKER = "worker";
const INTERNET = "internet";
const OTHERWISE = "pollhook:otherwise";
/** The environment knows no defaults: a wrapped binding is whatever this makes of the bindings in it. */
const OTHERWISE_SCRIPT = "export default ({ given, otherwise }) => given || otherwise;";

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
  sockets = [(name = ${text(SOCKET)}, address = ${text(address)}, http = (), service = ${text(WORKER)})],
  extensions = [(modules = [(name = ${text(OTHERWISE)}, internal = true, esModule = ${text(OTHERWISE_SCRIPT)})])],
);

const worker :Workerd.Worker = ${worker(config)};
`;
}

function worker({ modules, compatibilityDate, compatibilityFlags, objects, vars }: WorkerdConfig): string {
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
  const files = modules.map(
    ({ name, kind, path }) => `(name = ${text(name)}, ${kind} = embed ${text(path)})`,
  );
  return `(
  modules = ${lines(files)},
  compatibilityDate = ${text(compatibilityDate)},
  compatibilityFlags = ${list(compatibilityFlags.map(text))},
  globalOutbound = ${text(INTERNET)},
  durableObjectNamespaces = ${lines(classes)},
  durableObjectStorage = (localDisk = ${text(DISK)}),
  bindings = ${lines(bindings)},
)`;
}

function variable(value: Variable): string {
  if (typeof value === "string") return `text = ${text(value)}`;
  const given = `fromEnvironment = ${text(value.fromEnvironment)}`;
  if (value.otherwise === undefined) return given;
  const inner = `(name = "given", ${given}), (name = "otherwise", text = ${text(value.otherwise)})`;
  return `wrapped = (moduleName = ${text(OTHERWISE)}, innerBindings = [${inner}])`;
}

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
