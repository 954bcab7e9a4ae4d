/**
 * Tokens that are genuine and may not do what they are used for: rights that they lack, children that would have more than
 * their parent, and the jobs of another tenant, of which nothing may be seen.
 */
import type { Bounds } from "../../../src/crypto/rights.ts";
import type { Claims } from "../../../src/crypto/token.ts";
import { bearerDoors, type Doors, type Knocker } from "./doors.ts";

/** Mints for a tenant. */
export type Minter = (tenant: string, claims: Partial<Claims>) => Promise<string>;

/** None of these words is the right to read or to register. */
const NO_SCOPES = [
  ...[
    "",
    " ",
    "*",
    "admin",
    "jobs",
    "jobs:*",
    "JOBS:READ JOBS:WRITE",
    "jobs:read,jobs:write",
    "jobs:read\tjobs:write",
  ],
  ...[
    "xjobs:read jobs:writes",
    "jobs:readjobs:write",
    "jobs:read\u00a0jobs:write",
    "stats:read stats:read",
    "__proto__",
  ],
];
const PARENT: Bounds = { ep: ["v3"], req: "1", ddl: 60, org: ["https://a.example"] };
const CHILD = { scope: "jobs:read", expires_in: 60 };
/** More than a parent with those bounds, two scopes and an owner has. */
const WISHES: readonly object[] = [
  { scope: "jobs:read secrets:read" },
  { scope: "provider:admin" },
  { owner: "somebody-else" },
  { endpoints: ["v3", "v6/video"] },
  { endpoints: ["v6/video"] },
  { request_id: "2" },
  { any_request: true },
  { max_deadline_seconds: 61 },
  { callback_origins: ["https://a.example", "https://b.example"] },
  { callback_origins: ["https://b.example"] },
  { destination: "a" },
];
/** Closed to every token with bounds. */
const CLOSED = [
  ...[
    ["POST", "/v1/jobs/redeliver"],
    ["POST", "/v1/jobs/cancel"],
    ["GET", "/v1/stats"],
    ["GET", "/v1/signing-secret"],
  ],
  ...[
    ["GET", "/v1/destinations"],
    ["PUT", "/v1/destinations/a"],
    ["DELETE", "/v1/destinations/a"],
  ],
] as const;

/** `job` is one of `tenant`'s. */
export async function tryRights(
  { knock }: Knocker,
  mint: Minter,
  tenant: string,
  job: string,
): Promise<Doors> {
  let tried = 0;
  let opened = 0;
  const complaints: string[] = [];
  const expect = async (what: string, status: number, call: Parameters<Knocker["knock"]>, code?: string) => {
    const answered = await knock(...call);
    tried++;
    if (answered.status < 400) opened++;
    if (answered.status !== status || (code !== undefined && !answered.text.includes(`"code":"${code}"`)))
      complaints.push(
        `${what}: ${call[0]} ${call[1]} answers ${answered.status} ${answered.text.slice(0, 200)}`,
      );
    return answered.text;
  };
  for (const scope of NO_SCOPES) {
    const token = await mint(tenant, { scope });
    const what = `scope ${JSON.stringify(scope)}`;
    for (const [method, path, body] of bearerDoors(job))
      if (!(path === "/v1/stats" && scope.startsWith("stats")))
        await expect(what, 403, [method, path, token, body], "insufficient_scope");
    await expect(what, 403, ["POST", "/api/v3/fetch/forged", null, { key: token }]);
    await expect(what, 403, ["POST", "/api/v6/images/text2img", null, { key: token, prompt: "x" }]);
  }
  const bounded = await mint(tenant, {
    scope: "jobs:read jobs:write tokens:write destinations:read destinations:write stats:read secrets:read",
    own: "phone",
    bnd: PARENT,
  });
  for (const [method, path] of CLOSED)
    await expect(
      "a bounded token",
      403,
      [method, path, bounded, {}].slice(0, method === "GET" ? 3 : 4) as Parameters<Knocker["knock"]>,
      "token_bound",
    );
  const parent = await mint(tenant, {
    scope: "jobs:read jobs:write tokens:write",
    own: "phone",
    bnd: PARENT,
  });
  for (const wish of WISHES)
    await expect(`a child with ${JSON.stringify(wish)}`, 403, [
      "POST",
      "/v1/tokens",
      parent,
      { ...CHILD, ...wish },
    ]);
  complaints.push(...(await othersJobs(expect, mint, job)));
  return { tried, opened, complaints };
}

/** Another tenant's job is answered as one that never was, to the last byte. */
async function othersJobs(
  expect: (what: string, status: number, call: Parameters<Knocker["knock"]>) => Promise<string>,
  mint: Minter,
  job: string,
): Promise<string[]> {
  const complaints: string[] = [];
  const token = await mint("globex", {});
  const never = `job_${"a".repeat(32)}`;
  for (const [method, action, body] of [
    ["GET", "", undefined],
    ["GET", "/event", undefined],
    ["GET", "/events", undefined],
    ["POST", "/cancel", undefined],
    ["POST", "/redeliver", { callback_url: "https://example.com/hook" }],
    ["DELETE", "", undefined],
  ] as const) {
    const [theirs, nobodys] = [
      await expect("another tenant", 404, [method, `/v1/jobs/${job}${action}`, token, body]),
      await expect("another tenant", 404, [method, `/v1/jobs/${never}${action}`, token, body]),
    ];
    if (theirs !== nobodys)
      complaints.push(`${method} ${action} tells another tenant's job from none: ${theirs}`);
  }
  return complaints;
}
