import { expect, it } from "vitest";
import { type SseMessage, SseParser } from "../../src/client/sse.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function parse(...pieces: readonly (string | Uint8Array)[]): SseMessage[] {
  const parser = new SseParser();
  return pieces.flatMap((piece) => parser.push(typeof piece === "string" ? bytes(piece) : piece));
}

const STREAM =
  ': hello\r\nid: 1\r\nevent: poll\r\ndata: {"at":"ü 漢 🎈"}\r\n\r\nid: 2\ndata: first\ndata:  second\n\n: beat\n\nid:3\revent:done\rdata\r\r';
const MESSAGES: SseMessage[] = [
  { id: "1", event: "poll", data: '{"at":"ü 漢 🎈"}' },
  { id: "2", event: "message", data: "first\n second" },
  { id: "3", event: "done", data: "" },
];

it("reads a stream with all three line ends, comments and several lines of data", () => {
  expect(parse(STREAM)).toEqual(MESSAGES);
});

it("reads the same wherever the stream is cut", () => {
  const all = bytes(STREAM);
  for (let cut = 0; cut <= all.length; cut++)
    expect(parse(all.subarray(0, cut), all.subarray(cut))).toEqual(MESSAGES);
});

it("reads the same byte by byte, with empty pieces in between", () => {
  const pieces = [...bytes(STREAM)].flatMap((byte) => [Uint8Array.of(byte), new Uint8Array(0)]);
  expect(parse(...pieces)).toEqual(MESSAGES);
});

it("tells an event only when the empty line behind it has come", () => {
  expect(parse("data: 1\n")).toEqual([]);
  expect(parse("data: 1\n", "\n")).toEqual([{ id: "", event: "message", data: "1" }]);
});

it("takes a CR at the end of a piece and an LF at the start of the next for one line end", () => {
  expect(parse("data: 1\r", "\ndata: 2\r", "\n\r", "\n")).toEqual([
    { id: "", event: "message", data: "1\n2" },
  ]);
});

it("tells nothing of an event without data, but goes on from its id", () => {
  expect(parse("event: poll\nid: 7\n\ndata: x\n\n")).toEqual([{ id: "7", event: "message", data: "x" }]);
});

it("keeps the id of the event before where one has none, and of the stream that it resumes", () => {
  expect(parse("id: 7\ndata: x\n\ndata: y\n\n").map(({ id }) => id)).toEqual(["7", "7"]);
  expect(new SseParser("6").push(bytes("data: y\n\n"))).toMatchObject([{ id: "6" }]);
  expect(parse("id: 7\nid\ndata: x\n\n")).toMatchObject([{ id: "" }]);
});

it("ignores an id with a NUL, unknown fields and a byte order mark", () => {
  expect(parse("\uFEFFid: a\0b\nwhat: ever\ndata: x\n\n")).toEqual([{ id: "", event: "message", data: "x" }]);
});

it("takes one space away behind the colon and no more", () => {
  expect(parse("data:x\ndata: x\ndata:  x\n\n")).toMatchObject([{ data: "x\nx\n x" }]);
});

it("hands over how long to stay away, if that is a number", () => {
  const parser = new SseParser();
  parser.push(bytes("retry: soon\n"));
  expect(parser.retryMs).toBeNull();
  parser.push(bytes("retry: 2500\n\n"));
  expect(parser.retryMs).toBe(2500);
});

it("takes an event of a megabyte, and no larger one", () => {
  const megabyte = "x".repeat(1024 * 1024);
  expect(parse("data:", megabyte.slice(5), "\n\n")).toHaveLength(1);
  expect(() => parse("data:", megabyte, "x\n")).toThrow(RangeError);
  const line = `data:${"x".repeat(1023)}\n`;
  expect(() => parse(...Array.from({ length: 1026 }, () => line))).toThrow(RangeError);
});
