/**
 * Hosts that a caller may name and that are not public. The rules in the Worker refuse every one of them; here they are
 * switched off, and what is left is the network's own wall.
 */
import { hostname } from "node:os";

/** Each leads to this machine itself, where it is a spelling that this machine knows. */
export const LOOPBACK_HOSTS = [
  "127.0.0.1",
  "[::1]",
  "localhost",
  "LOCALHOST.",
  // What this machine is called, which its hosts file or resolver often has on the loopback.
  hostname().toLowerCase(),
  "127.9.8.7",
  "127.1",
  "0x7f000001",
  "2130706433",
  "017700000001",
  "0.0.0.0",
  "[::]",
  "[::ffff:127.0.0.1]",
  "[0:0:0:0:0:ffff:7f00:1]",
] as const;

/** Nobody listens there, and nobody may be asked: what counts is that workerd says so itself. */
export const PRIVATE_HOSTS = [
  "10.0.0.1",
  "172.16.0.1",
  "192.168.0.1",
  "169.254.169.254",
  "[fd00::1]",
  "[::ffff:10.0.0.1]",
  "[::ffff:169.254.169.254]",
] as const;
