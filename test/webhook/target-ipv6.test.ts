import { describe, expect, it } from "vitest";
import { judgeTarget, type TargetPolicy } from "../../src/webhook/target.ts";

const PUBLIC: TargetPolicy = { allowPrivate: false, ownHosts: ["pollhook.example"] };
const PRIVATE = { ok: false, fault: "private_address" };

const judge = (host: string) => judgeTarget(`https://[${host}]/hook`, PUBLIC);

describe("IPv6 addresses", () => {
  it.each([
    ["unspecified", "::"],
    ["loopback", "::1"],
    ["loopback, written out", "0000:0000:0000:0000:0000:0000:0000:0001"],
    ["loopback, dotted", "::0.0.0.1"],
    ["IPv4-mapped", "::ffff:127.0.0.1"],
    ["IPv4-mapped, in hexadecimal", "::ffff:7f00:1"],
    ["IPv4-mapped, in upper case", "::FFFF:A9FE:A9FE"],
    ["IPv4-mapped, written out", "0:0:0:0:0:ffff:c0a8:1"],
    ["IPv4-compatible", "::127.0.0.1"],
    ["IPv4-compatible with a public address", "::8.8.8.8"],
    ["IPv4-translated", "::ffff:0:127.0.0.1"],
    ["NAT64", "64:ff9b::7f00:1"],
    ["NAT64 with a public address", "64:ff9b::8.8.8.8"],
    ["local NAT64", "64:ff9b:1::a00:1"],
    ["discard", "100::1"],
    ["6to4", "2002:7f00:1::"],
    ["6to4 with a public address", "2002:808:808::1"],
    ["Teredo", "2001:0:4136:e378:8000:63bf:3fff:fdd2"],
    ["benchmarking", "2001:2::1"],
    ["AS112", "2001:4:112::1"],
    ["deprecated ORCHID", "2001:10::1"],
    ["ORCHIDv2", "2001:20::1"],
    ["documentation", "2001:db8::1"],
    ["documentation, the second range", "3fff:fff::1"],
    ["segment routing", "5f00::1"],
    ["unique local", "fc00::1"],
    ["unique local, the used half", "fd12:3456:789a::1"],
    ["link-local", "fe80::1"],
    ["link-local, the last", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
    ["deprecated site-local", "fec0::1"],
    ["deprecated site-local, the last", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
    ["multicast", "ff02::1"],
    ["multicast, the last", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ])("refuses %s", (_, host) => {
    expect(judge(host)).toEqual(PRIVATE);
  });

  it("refuses what lies just outside global unicast", () => {
    expect(judge("1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")).toEqual(PRIVATE);
    expect(judge("4000::")).toEqual(PRIVATE);
  });

  it("takes the first and the last of global unicast", () => {
    expect(judge("2000::")).toMatchObject({ ok: true });
    expect(judge("3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")).toMatchObject({ ok: true });
  });

  it("takes the neighbours of the reserved 2001::/23", () => {
    expect(judge("2001:1ff:ffff::")).toEqual(PRIVATE);
    expect(judge("2001:200::")).toMatchObject({ ok: true });
  });

  it.each([
    ["2606:4700:4700::1111", "https://[2606:4700:4700::1111]/hook"],
    ["2A00:1450:4001:082A:0:0:0:200E", "https://[2a00:1450:4001:82a::200e]/hook"],
    ["::ffff:8.8.8.8", "https://[::ffff:808:808]/hook"],
  ])("takes the public %s", (host, url) => {
    expect(judge(host)).toEqual({ ok: true, url });
  });

  it("refuses one with a port of its own or an escaped bracket", () => {
    expect(judgeTarget("https://[::1]:8443/", PUBLIC)).toEqual(PRIVATE);
    expect(judgeTarget("https://%5B::1%5D/", PUBLIC)).toMatchObject({ ok: false });
  });

  it("does not read a trailing dot or a zone behind one as a URL", () => {
    expect(judgeTarget("https://[::1]./", PUBLIC)).toEqual({ ok: false, fault: "not_a_url" });
    expect(judge("::1%lo")).toEqual({ ok: false, fault: "not_a_url" });
    expect(judge("fe80::1%251")).toEqual({ ok: false, fault: "not_a_url" });
  });
});
