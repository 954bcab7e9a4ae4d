/**
 * A destination on a real socket: what workerd makes of the headers that a caller may set, and what a receiver verifies
 * while a secret is rotated.
 */
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Delivery } from "../simulator/delivery-log.ts";
import { Setting } from "./setting.ts";

let setting: Setting;
beforeAll(async () => {
  setting = await Setting.create();
  await setting.start();
  setting.receiver.setSecrets([]);
}, 90_000);
afterAll(() => setting.tearDown());

let counter = 0;

/** Sets a destination up, tests it, and hands back what arrived. */
async function pinged(more: Record<string, unknown>): Promise<Delivery> {
  const path = `/hook/destination-${++counter}`;
  const url = setting.receiver.origin + path;
  await setting.call("PUT", `/v1/destinations/d${counter}`, { url, ...more });
  return again(counter);
}

async function again(n: number): Promise<Delivery> {
  const response = await setting.call("POST", `/v1/destinations/d${n}/test`);
  expect(await response.json()).toMatchObject({ delivered: true, http_status: 204, reason: null });
  const delivery = setting.receiver.deliveries(`/hook/destination-${n}`).at(-1);
  if (!delivery) throw new Error("nothing arrived");
  return delivery;
}

it.each<Record<string, string>>([
  { authorization: "Bearer  two  spaces\tand a tab" },
  { cookie: "a=1; b=2", "set-cookie": "c=3, d=4" },
  {
    "user-agent": "mine/1.0",
    accept: "text/plain;q=0.5",
    "accept-encoding": "identity",
    "accept-language": "de",
  },
  {
    range: "bytes=0-1",
    "if-none-match": '"x"',
    "cache-control": "no-cache",
  },
  { origin: "https://a.example", referer: "https://a.example/x", "sec-fetch-mode": "navigate", dnt: "1" },
  { "x-empty": "", "x-symbols": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "!#$%&'*+.^_`|~": "any token" },
  { "x-long": "v".repeat(1024), ["x".repeat(64)]: "v" },
  { constructor: "a", tostring: "b", "upgrade-insecure-requests": "1", "proxy-x": "2" },
  Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`x-${i}`, `${i}`])),
])("sends these headers as they are given: %j", async (headers) => {
  const sent = (await pinged({ headers })).headers;
  for (const [name, value] of Object.entries(headers)) expect([name, sent[name]]).toEqual([name, value]);
  expect(sent).toMatchObject({ "content-type": "application/json", "pollhook-attempt": "1" });
});

it("is verified by the old secret and the new one while they overlap, and by the new one alone without", async () => {
  const first = `whsec_${btoa("a".repeat(32))}`;
  const verifies = ({ body, headers }: Delivery, secret: string): boolean => {
    try {
      new Webhook(secret).verify(body, headers);
      return true;
    } catch {
      return false;
    }
  };
  const rotate = async (overlap_seconds: number) => {
    const response = await setting.call("POST", `/v1/destinations/d${counter}/rotate-secret`, {
      overlap_seconds,
    });
    return ((await response.json()) as { secret: string }).secret;
  };
  expect(verifies(await pinged({ secret: first }), first)).toBe(true);
  const second = await rotate(3600);
  const both = await again(counter);
  expect([first, second].map((secret) => verifies(both, secret))).toEqual([true, true]);
  const third = await rotate(0);
  const alone = await again(counter);
  expect([first, second, third].map((secret) => verifies(alone, secret))).toEqual([false, false, true]);
});
