/**
 * What a receiver answered a refused delivery with: the tenant's own tokens see it, an owner's do not. The job is an owner's,
 * registered before the storm and looked at after it.
 */
import type { Attack } from "./attack.ts";
import { validCall } from "./call.ts";
import { OPERATIONS } from "./document.ts";
import { RECEIVER_WORDS } from "./planted.ts";
import type { Random } from "./random.ts";
import type { Scene } from "./scene.ts";

const SEEN_LIMIT_MS = 90_000;
/** Of a tenant that takes no part in it: those who do erase what they find. */
const VIEWER = { tenant: "quiet", owner: "phone" };
/** And has it sent once more: of thousands of calls none may have hit a job of which that can be asked. */
const LOOKS = ["readJob", "watchJob", "readEvent", "redeliverJob"];

/** The id of the job. */
export async function registerRefused({ node, world, receiver, provider }: Scene): Promise<string> {
  const canary = world.planted.canary(VIEWER);
  const token = await node.token(VIEWER.tenant, { own: VIEWER.owner, par: ["root"] });
  const path = `/hook/${canary}refuse`;
  receiver.program(path, [{ kind: "fail", status: 500, body: RECEIVER_WORDS }]);
  provider.add({ endpoint: "v3", id: "refused-delivery" });
  const registered = await node.call(world.adopt(token).token, "POST", "/v1/jobs", {
    request_id: "refused-delivery",
    eta: 1,
    callback_url: receiver.origin + path,
  });
  return ((await registered.json()) as { id: string }).id;
}

/** Looks at it in every way, as its owner; what does not hold, a sentence each. */
export async function lookAtRefused(
  { node, world }: Scene,
  attack: Attack,
  random: Random,
  id: string,
): Promise<string[]> {
  const full = await node.token(VIEWER.tenant);
  const until = Date.now() + SEEN_LIMIT_MS;
  for (let text = ""; !text.includes(RECEIVER_WORDS); ) {
    if (Date.now() > until) return ["nobody sees why a delivery was refused"];
    text = await (await node.call(full, "GET", `/v1/jobs/${id}?wait=5`)).text();
  }
  const owners = world.adopt(await node.token(VIEWER.tenant, { own: VIEWER.owner, par: ["root"] }));
  for (const operation of OPERATIONS.filter((one) => LOOKS.includes(one.id))) {
    const call = validCall(world, random, operation, owners);
    Object.assign(call, { path: operation.path.replace("{id}", id), query: [], tree: null, bytes: null });
    call.headers = call.headers.filter(([name]) => name === "authorization");
    await attack.send(call, null, true);
  }
  return [];
}
