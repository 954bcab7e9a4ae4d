/** JSON objects that mean something else than they seem to, or more than one would like. */
import {
  type BadAnswer,
  failed,
  NOT_JSON,
  PENDING,
  type PollEnd,
  succeeded,
  TOO_LARGE,
  whole,
} from "./bad-answer.ts";

const LONG_CHARS = 1_000_000;

const answer = (name: string, body: string, provider: PollEnd): BadAnswer => ({
  name,
  group: "JSON",
  script: whole(body),
  provider,
  ...(body.length > LONG_CHARS && { isLong: true }),
});

type Named = readonly (readonly [name: string, body: string])[];
const all = (provider: PollEnd, ...named: Named): BadAnswer[] =>
  named.map(([name, body]) => answer(name, body, provider));
const unchanged = (...named: Named): BadAnswer[] =>
  named.map(([name, body]) => answer(name, body, succeeded(body)));

const DEEP = 100_000;
const lists = "[".repeat(DEEP) + "]".repeat(DEEP);
const objects = `${'{"a":'.repeat(DEEP)}1${"}".repeat(DEEP)}`;
const EMPTY = { kind: "doubted", result: "empty" } as const;
const NOT_FOUND = { kind: "doubted", result: "not_found" } as const;
const success = (members: string): string => `{"status":"success",${members}}`;
/** Of exactly so many bytes. */
const sized = (bytes: number): string => {
  const [head = "", tail = ""] = success('"output":["|"]').split("|");
  return `${head}${"QUJD".repeat(bytes / 4).slice(0, bytes - head.length - tail.length)}${tail}`;
};
const MAX_OUTPUT_BYTES = 8 * 1024 * 1024;

export const JSONS: readonly BadAnswer[] = [
  ...unchanged(
    ["lists 100,000 deep", success(`"output":${lists}`)],
    ["objects 100,000 deep", success(`"output":${objects}`)],
    ["an unknown member 100,000 deep", success(`"a":${objects},"output":"b"`)],
    ["a message 100,000 deep", success(`"message":${lists},"output":"b"`)],
    ["a number past all numbers", success('"output":1e400')],
    ["a number below all numbers", success('"output":-1e400')],
    ["-0", success('"output":-0')],
    ["0 as output", success('"output":0')],
    ["false as output", success('"output":false')],
    ["a list of nothing as output", success('"output":[null]')],
    ["an object as output", success('"output":{"":""}')],
    ["a number of 1,000 digits", success(`"output":${"9".repeat(1_000)}`)],
    ["an id past 2^53", success('"id":9007199254740993,"output":["a"]')],
    ["a fraction of 40 digits", success(`"id":0.${"1234567890".repeat(4)},"output":["a"]`)],
    ["the status twice, the last one good", '{"status":"processing","status":"success","output":["a"]}'],
    ["the output twice", success('"output":[],"output":["b"]')],
    ["the status in capitals and white space", '{"status":" \\t SUCCESS\\n","output":["a"]}'],
    ["the status in escapes", '{"\\u0073tatus":"\\u0073uccess","output":["a"]}'],
    ["__proto__ beside the rest", success('"__proto__":{"status":"failed","output":[]},"output":["a"]')],
    [
      "names of JavaScript's own",
      success('"constructor":1,"toString":null,"hasOwnProperty":2,"valueOf":[],"output":["a"]'),
    ],
    ["toJSON in the output", success('"output":{"toJSON":"a","then":"b"}')],
    ["keys that are numbers, out of order", success('"9":1,"1":2,"output":{"2":"a","1":"b"}')],
    ["an empty name", success('"":"","output":["a"]')],
    ["a name of 1 MB", success(`"${"n".repeat(1_000_000)}":1,"output":["a"]`)],
    [
      "100,000 members",
      success(`${Array.from({ length: 100_000 }, (_, i) => `"m${i}":${i}`).join()},"output":["a"]`),
    ],
    ["a list of 500,000", success(`"output":[${"1,".repeat(500_000)}1]`)],
    ["8 MiB exactly", sized(MAX_OUTPUT_BYTES)],
    ["links that do not exist yet, beside the output", success('"future_links":["b"],"output":["a"]')],
    ["a retry_after beside a success", success('"retry_after":1e308,"output":["a"]')],
  ),
  ...all(TOO_LARGE, ["8 MiB and one byte", sized(MAX_OUTPUT_BYTES + 1)]),
  ...all(
    NOT_JSON,
    ["no status", '{"output":["a"]}'],
    ["a status that is a number", '{"status":200,"output":["a"]}'],
    ["a status that is true", '{"status":true,"output":["a"]}'],
    ["a status that is null", '{"status":null,"output":["a"]}'],
    ["a status that is a list", '{"status":["success"],"output":["a"]}'],
    ["a status that is an object", '{"status":{"toString":"success"},"output":["a"]}'],
    ["a status 100,000 deep", `{"status":${lists},"output":["a"]}`],
    ["a status that only __proto__ has", '{"__proto__":{"status":"success","output":["a"]}}'],
    ["the status in capitals of its name", '{"STATUS":"success","output":["a"]}'],
    ["the status twice, the last one bad", '{"status":"success","output":["a"],"status":null}'],
  ),
  ...all(
    PENDING,
    ["an unknown status", '{"status":"queued"}'],
    ["an empty status", '{"status":""}'],
    ["a status of 1 MB", `{"status":"${"success".repeat(150_000)}","output":["a"]}`],
    ["a status with a dotted I", '{"status":"SUCCESS\\u0130","output":["a"]}'],
    ["an eta past all numbers", '{"status":"processing","eta":1e400}'],
    ["an eta of 1e308", '{"status":"processing","eta":1e308}'],
    ["a negative eta", '{"status":"processing","eta":-1e9}'],
    ["an eta of next to nothing", '{"status":"processing","eta":5e-324}'],
    ["an eta that is text", '{"status":"processing","eta":"NaN"}'],
    ["an eta that is a list", '{"status":"processing","eta":[1]}'],
    ["an eta past 2^53", '{"status":"processing","eta":9007199254740993}'],
    ["outputs of a request at work", '{"status":"processing","output":["a"],"future_links":["b"]}'],
  ),
  ...all(
    EMPTY,
    ["no output", '{"status":"success"}'],
    ["null as output", success('"output":null')],
    ["an empty list as output", success('"output":[]')],
    ["an empty object as output", success('"output":{}')],
    ["an output that only __proto__ has", success('"__proto__":{"output":["a"]}')],
    ["links that do not exist yet, and no output", success('"future_links":["b"],"output":[]')],
  ),
  ...all(NOT_FOUND, ["a request that is not found", '{"status":"error","message":"Request not found"}']),
  ...all(
    failed("provider_error"),
    ["a failure without a word", '{"status":"failed"}'],
    ["a failure of 1 MB", `{"status":"error","message":"${"no ".repeat(350_000)}"}`],
    ["a failure 100,000 deep", `{"status":"error","message":${objects}}`],
    ["a failure with half a character", '{"status":"error","message":"\\ud83d"}'],
    ["a failure with NUL", '{"status":"error","message":"a\\u0000b"}'],
    ["a failure that is a number", '{"status":"error","message":1e400}'],
    ["a failure that is a list", '{"status":"failed","messege":[null,{"__proto__":1}]}'],
    ["a failure that only __proto__ explains", '{"status":"failed","__proto__":{"message":"a"}}'],
    ["a failure in marks that turn text around", '{"status":"failed","message":"\\u202etxt.exe"}'],
  ),
];
