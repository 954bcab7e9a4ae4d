/** Answers that are compressed: badly, in a way that nobody asked for, or into far more than they seem to be. */
import {
  brotliCompressSync,
  constants,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";
import type { Script } from "../script.ts";
import {
  type AttemptEnd,
  type BadAnswer,
  DELIVERED,
  NETWORK,
  NOT_JSON,
  type PollEnd,
  SUCCEEDED,
  SUCCESS,
  TIMEOUT,
  TOO_LARGE,
  whole,
} from "./bad-answer.ts";

const answer = (
  name: string,
  script: Script,
  provider: PollEnd,
  receiver: AttemptEnd = DELIVERED,
  more: Partial<BadAnswer> = {},
): BadAnswer => ({ name, group: "coding", script, provider, receiver, ...more });

const coded = (coding: string, body: Uint8Array): Script =>
  whole(body, "200 OK", [`Content-Encoding: ${coding}`]);

const MIB = 1024 * 1024;
const GZIP_HEAD = Buffer.from("1f8b0800000000000003", "hex");
const plain = Buffer.from(SUCCESS);
const gzip = gzipSync(plain);
/** 8 MiB of white space and one byte more. */
const justTooMuch = Buffer.alloc(8 * MIB + 1, " ");
/** What stands for 16 MiB of spaces inside of a deflate stream, however often, as it refers to nothing in front of it. */
const block = deflateRawSync(Buffer.alloc(16 * MIB, " "), { finishFlush: constants.Z_FULL_FLUSH, level: 9 });
const largeBrotli = brotliCompressSync(Buffer.alloc(256 * MIB, " "), {
  params: { [constants.BROTLI_PARAM_QUALITY]: 3, [constants.BROTLI_PARAM_LGWIN]: 24 },
});

/** So many times 16 MiB, as one gzip or deflate stream without its end. */
const bomb = (coding: "gzip" | "deflate", times: number): Script => [
  { send: `HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\n\r\n` },
  { send: coding === "gzip" ? GZIP_HEAD : Buffer.from("789c", "hex") },
  { repeat: block, times },
  { close: "end" },
];
const BOMB = { isBomb: true } as const;

export const CODINGS: readonly BadAnswer[] = [
  answer("gzip", coded("gzip", gzip), SUCCEEDED),
  answer("gzip in capitals, which is not taken", coded("GZIP", gzip), NOT_JSON),
  answer("deflate, which is not taken", coded("deflate", deflateSync(plain)), NOT_JSON),
  answer("deflate without its head", coded("deflate", deflateRawSync(plain)), NOT_JSON),
  answer("brotli", coded("br", brotliCompressSync(plain)), SUCCEEDED),
  answer("zstd, which is not taken", coded("zstd", zstdCompressSync(plain)), NOT_JSON),
  answer("a coding that nobody knows", coded("compress", plain), SUCCEEDED),
  answer("gzip that says nothing of it", whole(gzip), NOT_JSON),
  answer("plain text that says gzip", coded("gzip", plain), NETWORK),
  answer("plain text that says brotli", coded("br", plain), NETWORK),
  answer("gzip that says brotli", coded("br", gzip), NETWORK),
  answer("gzip that says identity", coded("identity", gzip), NOT_JSON),
  answer("gzip that ends early", coded("gzip", gzip.subarray(0, gzip.length - 20)), NETWORK),
  answer("gzip of nothing", coded("gzip", new Uint8Array(0)), NETWORK),
  answer(
    "gzip with a wrong checksum",
    coded("gzip", Buffer.from(gzip).fill(0, gzip.length - 8, gzip.length - 4)),
    NETWORK,
  ),
  answer("gzip with something behind it", coded("gzip", Buffer.concat([gzip, Buffer.from("more")])), NETWORK),
  answer(
    "gzip in two members",
    coded("gzip", Buffer.concat([gzipSync(plain.subarray(0, 30)), gzipSync(plain.subarray(30))])),
    SUCCEEDED,
  ),
  answer("gzip in gzip that says so once", coded("gzip", gzipSync(gzip)), NOT_JSON),
  answer("gzip in gzip that says so twice", coded("gzip, gzip", gzipSync(gzip)), NOT_JSON),
  answer(
    "a gzip name of 1 MB",
    coded(
      "gzip",
      Buffer.concat([
        Buffer.from("1f8b0808000000000003", "hex"),
        Buffer.alloc(MIB, "a"),
        Buffer.alloc(1),
        gzip.subarray(10),
      ]),
    ),
    SUCCEEDED,
  ),

  answer("gzip of 10 MB", coded("gzip", gzipSync(Buffer.alloc(10_000_000, " "))), TOO_LARGE, DELIVERED, BOMB),
  answer("gzip of one byte too much", coded("gzip", gzipSync(justTooMuch)), TOO_LARGE, DELIVERED, BOMB),
  answer("gzip of 1 GiB", bomb("gzip", 64), TOO_LARGE, DELIVERED, BOMB),
  answer("gzip of 10 GiB", bomb("gzip", 640), TOO_LARGE, DELIVERED, BOMB),
  answer(
    "deflate of 10 GiB, which is not taken, and too much all the same",
    bomb("deflate", 640),
    TOO_LARGE,
    DELIVERED,
    BOMB,
  ),
  answer("brotli of 256 MiB", coded("br", largeBrotli), TOO_LARGE, DELIVERED, BOMB),
  answer(
    "a bomb of gzip in gzip",
    coded("gzip, gzip", gzipSync(Buffer.concat([GZIP_HEAD, Buffer.concat(Array(64).fill(block))]))),
    NOT_JSON,
    DELIVERED,
    BOMB,
  ),
  answer(
    "zstd of 256 MiB",
    coded("zstd", zstdCompressSync(Buffer.alloc(256 * MIB, " "))),
    NOT_JSON,
    DELIVERED,
    BOMB,
  ),
  answer(
    "gzip of nothing, for ever",
    [
      { send: `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n` },
      { send: GZIP_HEAD },
      { repeat: Buffer.from("000000ffff".repeat(2_000), "hex"), times: 1e9 },
    ],
    TIMEOUT,
    DELIVERED,
    { isSlow: true },
  ),
];
