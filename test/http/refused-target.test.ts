import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { call, PROVIDER_KEY, readJob, register, registration, uniqueId } from "../support/api.ts";
import { callWith, EMPTY, expectProblem, idOf, objectCount, storageOf } from "../support/http.ts";
import { ScriptedFetch } from "../support/scripted-fetch.ts";

const REFUSED = { status: 422, code: "target_refused", field: "callback_url" };
/** A URL of exactly so many characters. */
const sized = (chars: number): string => "https://example.com/".padEnd(chars, "a");

const TARGETS: readonly (readonly [what: string, url: string])[] = [
  ["no URL", "hook"],
  ["nothing", ""],
  ["a path", "/hook"],
  ["http", "http://example.com/hook"],
  ["another scheme", "ftp://example.com/hook"],
  ["a script", "javascript:alert(1)"],
  ["data", "data:text/plain,x"],
  ["a user name", "https://user@example.com/"],
  ["a password", "https://:pw@example.com/"],
  ["2049 characters", sized(2049)],
  ["port 80", "https://example.com:80/"],
  ["port 22", "https://example.com:22/"],
  ["port 1023", "https://example.com:1023/"],
  ["port 0", "https://example.com:0/"],
  ["port 65536", "https://example.com:65536/"],
  ["loopback", "https://127.0.0.1/"],
  ["loopback in hexadecimal", "https://0x7f.1/"],
  ["loopback as one number", "https://2130706433/"],
  ["loopback in octal", "https://0177.0.0.1/"],
  ["loopback in full-width digits", "https://１２７.0.0.1/"],
  ["loopback with a dot behind it", "https://127.0.0.1./"],
  ["the unspecified address", "https://0.0.0.0/"],
  ["a private range", "https://10.0.0.1/"],
  ["another private range", "https://172.16.0.1/"],
  ["a third private range", "https://192.168.1.1/"],
  ["link-local metadata", "https://169.254.169.254/latest/meta-data"],
  ["carrier-grade NAT", "https://100.64.0.1/"],
  ["a documentation range", "https://192.0.2.1/"],
  ["multicast", "https://224.0.0.1/"],
  ["broadcast", "https://255.255.255.255/"],
  ["IPv6 loopback", "https://[::1]/"],
  ["IPv4 loopback mapped into IPv6", "https://[::ffff:127.0.0.1]/"],
  ["IPv4 loopback mapped, in hexadecimal", "https://[::ffff:7f00:1]/"],
  ["IPv4 loopback translated (NAT64)", "https://[64:ff9b::7f00:1]/"],
  ["IPv4 loopback tunnelled (6to4)", "https://[2002:7f00:1::]/"],
  ["IPv6 unique local", "https://[fd00::1]/"],
  ["IPv6 link-local", "https://[fe80::1]/"],
  ["a single label", "https://intranet/"],
  ["a single label with a dot behind it", "https://intranet./"],
  ["an empty label", "https://a..example.com/"],
  ...["localhost", "hook.localhost", "printer.local", "metadata.google.internal", "a.intranet", "a.private"]
    .concat([
      "a.corp",
      "a.home",
      "a.lan",
      "a.test",
      "a.invalid",
      "a.onion",
      "1.0.0.127.in-addr.arpa",
      "a.LAN.",
    ])
    .map((name) => [name, `https://${name}/`] as const),
  ["the host that the registration was sent to", "https://pollhook.example/v1/jobs"],
  ["that host in capitals, with a port and a dot", "https://POLLHOOK.example.:8443/"],
];

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => {
  expect(fetched.sent).toEqual([]);
  fetched.restore();
});

describe("a callback that may not be called", () => {
  it.each(TARGETS)("is refused at registration: %s", async (_, callback_url) => {
    const objects = await objectCount();
    expectProblem(await register({ callback_url }), REFUSED);
    expect(await objectCount()).toBe(objects);
  });

  it("is refused when a job without callback is given one", async () => {
    const { body } = await register({ callback_url: null });
    const again = await register({ request_id: body.request_id, callback_url: "https://127.0.0.1/" });
    expectProblem(again, REFUSED);
    expect((await readJob(body.id)).body).toEqual(body);
  });

  it.each([
    "http://example.com/",
    "https://user@example.com/",
    sized(2049),
    "https://example.com:80/",
    "https://[::ffff:127.0.0.1]/",
    "https://printer.local/",
    "https://pollhook.example/",
    "",
  ])("is refused at redelivery: %s", async (callback_url) => {
    const path = `/v1/jobs/${await idOf(uniqueId())}/redeliver`;
    expectProblem(await call("POST", path, { body: { callback_url } }), REFUSED);
  });

  it("is refused at redelivery without a change of the job", async () => {
    const response = { status: "success", id: uniqueId(), output: ["x"] };
    const { body } = await call("POST", "/v1/jobs", { body: { endpoint: "v3", response } });
    const answer = await call("POST", `/v1/jobs/${body.id}/redeliver`, {
      body: { callback_url: "https://10.0.0.1/" },
    });
    expectProblem(answer, REFUSED);
    expect((await readJob(body.id)).body).toEqual(body);
  });

  it("is the host in PUBLIC_URL, whichever host is called", async () => {
    const request_id = uniqueId();
    const body = registration({ request_id, callback_url: "https://hooks.example.org/x" });
    const own = { PUBLIC_URL: "https://hooks.example.org/base" };
    expectProblem(await callWith(own, "POST", "/v1/jobs", { body }), REFUSED);
    expect(await storageOf(await idOf(request_id))).toEqual(EMPTY);
    expect((await callWith({ PUBLIC_URL: undefined }, "POST", "/v1/jobs", { body })).status).toBe(202);
  });
});

describe("a callback that may be called", () => {
  it.each([
    ["2048 characters", sized(2048)],
    ["port 443", "https://example.com:443/"],
    ["port 1024", "https://example.com:1024/"],
    ["port 65535", "https://example.com:65535/"],
    ["a public address", "https://1.1.1.1/"],
    ["a public IPv6 address", "https://[2606:4700:4700::1111]/"],
    ["a documentation name", "https://example.com/"],
    ["a private suffix in the middle", "https://local.example.com/"],
  ])("is accepted: %s", async (_, callback_url) => {
    expect((await register({ callback_url })).status).toBe(202);
  });

  it("is one on http and a private address with ALLOW_PRIVATE_TARGETS", async () => {
    const body = { request_id: uniqueId(), callback_url: "http://127.0.0.1:9000/hook", key: PROVIDER_KEY };
    const answer = await callWith({ ALLOW_PRIVATE_TARGETS: "true" }, "POST", "/v1/jobs", {
      body: { ...body, eta: 600 },
    });
    expect([answer.status, answer.body.callback_url]).toEqual([202, body.callback_url]);
  });
});
