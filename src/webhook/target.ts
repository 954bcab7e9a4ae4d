/**
 * May we POST to this URL? Judged after WHATWG parsing, so that every spelling of a host is the same host; asked
 * at registration, on every change and again before every attempt. Pure. A Worker cannot see what a name resolves
 * to: on the platform `global_fetch_strictly_public` is the second wall.
 */
import ipaddr from "ipaddr.js";

export type TargetFault =
  | "not_a_url"
  | "too_long"
  | "scheme"
  | "credentials"
  | "port"
  | "private_address"
  | "private_name"
  | "own_host";

export interface TargetPolicy {
  /** Local work only: lifts the rules for scheme, host and port. */
  readonly allowPrivate: boolean;
  /** Absolute URLs or `host[:port]` names under which Pollhook itself is reached. */
  readonly ownHosts: readonly string[];
}

export type TargetJudgement =
  | { readonly ok: true /** As WHATWG writes it, without fragment. */; readonly url: string }
  | { readonly ok: false; readonly fault: TargetFault };

const MAX_URL_CHARS = 2048;
const MIN_UNPRIVILEGED_PORT = 1024;

/** Names that no public resolver answers, or that mean "this network" (RFC 6761, 6762, 7686, 8375, 9476 and custom). */
const PRIVATE_SUFFIXES =
  "localhost local internal intranet private corp home lan test invalid onion arpa alt".split(" ");

const FAULTS: Readonly<Record<TargetFault, string>> = {
  not_a_url: "is not an absolute URL",
  too_long: `is longer than ${MAX_URL_CHARS} characters`,
  scheme: "must be an https URL",
  credentials: "must not carry a user name or password; verify the signature instead",
  port: "must use port 443 or one of 1024 and above",
  private_address: "must not be an address that is not public",
  private_name: "must be a public host name",
  own_host: "must not be Pollhook itself",
};

/** The rest of a sentence that begins with the field's name. */
export const explainTarget = (fault: TargetFault): string => FAULTS[fault];

/** The judgement of one callback URL. */
export function judgeTarget(text: string, policy: TargetPolicy): TargetJudgement {
  const refuse = (fault: TargetFault): TargetJudgement => ({ ok: false, fault });
  const url = URL.parse(text);
  if (!url) return refuse("not_a_url");
  if (url.protocol !== "https:" && !(policy.allowPrivate && url.protocol === "http:"))
    return refuse("scheme");
  if (url.username || url.password) return refuse("credentials");
  url.hash = "";
  if (url.href.length > MAX_URL_CHARS) return refuse("too_long");
  if (!policy.allowPrivate) {
    if (url.port !== "" && Number(url.port) < MIN_UNPRIVILEGED_PORT) return refuse("port");
    const fault = judgeHost(bareHost(url));
    if (fault) return refuse(fault);
  }
  // Locally everything shares one host, so there the port tells us apart.
  const name = policy.allowPrivate ? hostAndPort : bareHost;
  if (policy.ownHosts.some((own) => name(url) === name(ownUrl(own, url.protocol)))) return refuse("own_host");
  return { ok: true, url: url.href };
}

/** The host name without the dot that may end it and without an IPv6 address's brackets. */
const bareHost = (url: URL | null): string | null =>
  url?.hostname.replace(/\.$/, "").replace(/^\[(.*)\]$/, "$1") ?? null;

const hostAndPort = (url: URL | null): string | null =>
  url && `${bareHost(url)}:${url.port || (url.protocol === "http:" ? "80" : "443")}`;

/** A name without a scheme is read with the target's, whose default port it then shares. */
const ownUrl = (own: string, scheme: string): URL | null =>
  URL.parse(own.includes("://") ? own : `${scheme}//${own}`);

function judgeHost(host: string | null): TargetFault | null {
  if (!host) return "private_name";
  if (ipaddr.isValid(host)) return isPublicAddress(host) ? null : "private_address";
  const labels = host.split(".");
  if (labels.length < 2 || labels.includes("")) return "private_name";
  return PRIVATE_SUFFIXES.includes(labels.at(-1) ?? "") ? "private_name" : null;
}

/** IPv4 inside IPv6 is judged as IPv4; of IPv6 only global unicast (2000::/3, RFC 4291) counts as public. */
function isPublicAddress(host: string): boolean {
  const address = ipaddr.process(host);
  if (address.range() !== "unicast") return false;
  return address.kind() === "ipv4" || address.match(ipaddr.parse("2000::"), 3);
}

/** The policy for one job: its own hosts are the configured one and the one its registration was sent to. */
export const targetPolicy = (
  config: { readonly publicUrl: string | null; readonly allowPrivateTargets: boolean },
  host: string,
): TargetPolicy => ({
  allowPrivate: config.allowPrivateTargets,
  ownHosts: config.publicUrl === null ? [host] : [host, config.publicUrl],
});
