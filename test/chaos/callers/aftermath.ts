/**
 * Whether it still does what it is for, once the storm is over: it is healthy, and the job of somebody who did nothing wrong
 * is registered, polled and delivered, with nothing in its event that nobody put there.
 */
import { POLLUTION } from "./planted.ts";
import type { Scene } from "./scene.ts";

/** With all the deliveries of the storm still under way. */
const DELIVERED_LIMIT_MS = 120_000;
const TENANT = "bystander";
const MEMBERS = {
  event: ["type", "timestamp", "data"],
  data: [
    ...["job_id", "endpoint", "request_id", "output", "proxy_links", "provider"],
    ...["error", "metadata", "registered_at", "finished_at", "polls"],
  ],
};

/** What does not hold, a sentence each. */
export async function aftermath({ node, provider, receiver }: Scene): Promise<string[]> {
  const faults: string[] = [];
  const health = await fetch(`${node.origin}/healthz`, { headers: { connection: "close" } });
  if (health.status !== 200) faults.push(`/healthz answers ${health.status}`);
  const token = await node.token(TENANT);
  const { secret } = (await (await node.call(token, "GET", "/v1/signing-secret")).json()) as {
    secret: string;
  };
  receiver.setSecrets([secret]);
  provider.add({ endpoint: "v3", id: "after-the-storm", readyAfterMs: 500 });
  const registered = await node.call(token, "POST", "/v1/jobs", {
    request_id: "after-the-storm",
    eta: 1,
    callback_url: receiver.hookUrl("bystander"),
    metadata: { user: 7 },
  });
  if (registered.status !== 202) return [...faults, `a normal job is answered ${registered.status}`];
  const delivery = await receiver
    .waitFor(({ path, status }) => path === "/hook/bystander" && status !== null, DELIVERED_LIMIT_MS)
    .catch(() => null);
  if (!delivery) return [...faults, "a normal job is not delivered"];
  if (!delivery.verified) faults.push("its event is not signed as it should be");
  const event = JSON.parse(delivery.body) as { data: Record<string, unknown>; type: string };
  if (event.type !== "job.succeeded") faults.push(`it ends as ${event.type}`);
  if (
    Object.keys(event).join() !== MEMBERS.event.join() ||
    Object.keys(event.data).join() !== MEMBERS.data.join()
  )
    faults.push("its event has other members");
  const path = `/v1/jobs/${event.data.job_id}`;
  const until = Date.now() + DELIVERED_LIMIT_MS;
  // The answer of the receiver comes a moment after its delivery.
  for (let status = ""; status !== "delivered"; ) {
    if (Date.now() > until) return [...faults, "a normal job does not end as delivered"];
    ({ status } = (await (await node.call(token, "GET", `${path}?wait=5`)).json()) as { status: string });
  }
  const owner = await node.token(TENANT, { jti: "somebody", own: "somebody" });
  for (const [asked, refusal] of [
    [path, 403],
    [`${path}/event`, 403],
    ["/v1/jobs", 200],
    ["/v1/events", 200],
  ] as const) {
    const answer = await node.call(owner, "GET", asked);
    const text = await answer.text();
    if (answer.status !== refusal || text.includes(String(event.data.job_id)))
      faults.push(`an owner who asks for ${asked} is answered ${answer.status}: ${text}`);
  }
  // A body that says nothing would have a field too many, were the prototype of all objects another.
  const canceled = await node.call(token, "POST", `${path}/cancel`, {});
  const answer = await canceled.text();
  if (canceled.status !== 409 || answer.includes(POLLUTION)) faults.push(`a cancel is answered ${answer}`);
  return faults;
}
