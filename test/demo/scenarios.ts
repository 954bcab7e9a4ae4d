/**
 * What the demo shows: a request for each fetch endpoint of the provider's pages, named in each of the three ways,
 * a generation call with only its host changed, and three that do not go smoothly. Data, and what each is expected to
 * come to.
 */
import type { Provider, SimRequest } from "../simulator/provider.ts";
import type { ReceiverStep } from "../simulator/receiver.ts";
import { SEED_PAGES } from "../support/seed-pages.ts";

/** A request that the simulated provider has queued, and how the registration names it. */
export interface Registered {
  readonly request: SimRequest;
  readonly names: (provider: Provider) => Record<string, unknown>;
}

/** A call of the provider's own API, made to Pollhook's host instead. */
export interface Generated {
  readonly path: string;
  readonly body: Record<string, unknown>;
}

export interface Scenario {
  readonly title: string;
  readonly from: Registered | Generated;
  readonly callbackSteps?: readonly ReceiverStep[];
  /** The event's type; for an event in the provider's format, its status. */
  readonly expected: "job.succeeded" | "job.failed" | "success";
}

/** The page's own example answer, where the page has the same id. */
const pageAnswer = (endpoint: string) => ({
  answer: SEED_PAGES.find((page) => page.endpoint === endpoint)?.response ?? "",
});

const byEndpoint = (endpoint: string, id: number) => () => ({ endpoint, request_id: id, eta: 2 });
const byFetchUrl = (path: string) => (provider: Provider) => ({
  fetch_url: `${provider.origin}/api/${path}`,
  eta: 1,
});

/** The provider's generation answer, as it came: what a backend holds after it asked for an image. */
const byResponse = (endpoint: string, id: number) => (provider: Provider) => ({
  response: {
    status: "processing",
    tip: "Your image is processing in background, you can get this image using fetch API",
    eta: 1.5,
    messege: "Try to fetch request after seconds estimated",
    fetch_result: `${provider.origin}/api/${endpoint}/fetch/${id}`,
    id,
    output: "",
    meta: { prompt: "a lighthouse at dusk" },
  },
});

export const SCENARIOS: readonly Scenario[] = [
  {
    title: "v3, by id",
    from: {
      request: { endpoint: "v3", id: 12202888, readyAfterMs: 2_500, ...pageAnswer("v3") },
      names: byEndpoint("v3", 12202888),
    },
    expected: "job.succeeded",
  },
  {
    title: "v4/dreambooth, by id",
    from: {
      request: {
        endpoint: "v4/dreambooth",
        id: 13443927,
        readyAfterMs: 1_000,
        ...pageAnswer("v4/dreambooth"),
      },
      names: byEndpoint("v4/dreambooth", 13443927),
    },
    expected: "job.succeeded",
  },
  {
    title: "v1/enterprise, by id",
    from: {
      request: {
        endpoint: "v1/enterprise",
        id: 13443927,
        readyAfterMs: 5_000,
        ...pageAnswer("v1/enterprise"),
      },
      names: byEndpoint("v1/enterprise", 13443927),
    },
    expected: "job.succeeded",
  },
  {
    title: "v1/enterprise/interior, by fetch_url",
    from: {
      request: {
        endpoint: "v1/enterprise/interior",
        id: 454,
        readyAfterMs: 500,
        ...pageAnswer("v1/enterprise/interior"),
      },
      names: byFetchUrl("v1/enterprise/interior/fetch/454"),
    },
    expected: "job.succeeded",
  },
  {
    title: "v1/enterprise/flux, by response",
    from: {
      request: {
        endpoint: "v1/enterprise/flux",
        id: 12202888,
        readyAfterMs: 1_000,
        ...pageAnswer("v1/enterprise/flux"),
      },
      names: byResponse("v1/enterprise/flux", 12202888),
    },
    expected: "job.succeeded",
  },
  {
    title: "v6/fashion, by fetch_url",
    from: {
      request: { endpoint: "v6/fashion", id: 455, readyAfterMs: 3_000, eta: 2 },
      names: byFetchUrl("v6/fashion/fetch/455"),
    },
    expected: "job.succeeded",
  },
  {
    title: "v6/images/text2img, host changed",
    from: { path: "/api/v6/images/text2img", body: { model_id: "flux", prompt: "a lighthouse at dusk" } },
    expected: "success",
  },
  {
    title: "the generation fails",
    from: {
      request: {
        endpoint: "v6/images",
        id: 60000001,
        answer: { status: "failed", id: "", message: "Failed, Try Again", output: "" },
      },
      names: byEndpoint("v6/images", 60000001),
    },
    expected: "job.failed",
  },
  {
    title: "the callback answers 503 at first",
    from: { request: { endpoint: "v6/video", id: 60000002 }, names: byEndpoint("v6/video", 60000002) },
    callbackSteps: [{ kind: "fail", status: 503, body: "deploying" }],
    expected: "job.succeeded",
  },
  {
    title: "the provider rate-limits",
    from: {
      request: {
        endpoint: "v7/images",
        id: 60000003,
        misbehaviours: [{ kind: "rate-limit", retryAfterSeconds: 3 }],
      },
      names: byEndpoint("v7/images", 60000003),
    },
    expected: "job.succeeded",
  },
];
