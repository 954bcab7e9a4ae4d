/**
 * The provider's own documentation pages on fetching, as data: what each page says to send, and its example
 * response to the byte. Two ids appear on two pages each: an id alone does not name a request, an endpoint and an id
 * do. Read inside workerd and by the simulator in Node: nothing here imports anything.
 */
export interface SeedPage {
  /** The page's title. */
  readonly title: string;
  /** The host that the page uses. */
  readonly origin: string;
  readonly endpoint: string;
  readonly requestId: string;
  /** What the page says to call and to send, with this request's id. */
  readonly path: string;
  readonly body: (key: string) => string;
  /** The JSON text under "Example Response". */
  readonly response: string;
  readonly output: readonly string[];
  readonly proxyLinks: readonly string[] | null;
}

const LEGACY = "https://stablediffusionapi.com";
const CURRENT = "https://modelslab.com";

const FLUX_PNG =
  "https://pub-8b49af329fae499aa563997f5d4068a4.r2.dev/generations/e5cd86d3-7305-47fc-82c1-7d1a3b130fa4-0.png";
const DREAMBOOTH_PNG =
  "https://pub-8b49af329fae499aa563997f5d4068a4.r2.dev/generations/6ef3f81f-14e1-4835-b07a-e00dbe80b6ff-0.png";
const INTERIOR_PNG =
  "https://pub-3626123a908346a7a8be8d9295f44e26.r2.dev/generations/271cedbb-c6ae-4042-8c81-4e59b7af37c8.png";
const INTERIOR_PROXY =
  "https://cdn2.stablediffusionapi.com/generations/271cedbb-c6ae-4042-8c81-4e59b7af37c8.png";

const keyOnly = (key: string): string => `{"key":"${key}"}`;
const keyAndId =
  (requestId: string) =>
  (key: string): string =>
    `{"key":"${key}","request_id":"${requestId}"}`;

const INTERIOR_RESPONSE = `{
"status": "success",
"id": 454,
"output": [
"${INTERIOR_PNG}"
],
"proxy_links": [
"${INTERIOR_PROXY}"
]
}`;

const FLUX_RESPONSE = `{
"status": "success",
"id": 12202888,
"output": [
"${FLUX_PNG}"
]
}`;

export const SEED_PAGES: readonly SeedPage[] = [
  {
    title: "Enterprise: Fetch Queue Image",
    origin: LEGACY,
    endpoint: "v1/enterprise",
    requestId: "13443927",
    path: "/api/v1/enterprise/fetch",
    body: keyAndId("13443927"),
    response: `{\n"status": "success",\n"id": 13443927,\n"output": [\n"${DREAMBOOTH_PNG}"\n]\n}`,
    output: [DREAMBOOTH_PNG],
    proxyLinks: null,
  },
  {
    title: "Fetch Queued Images Endpoint",
    origin: LEGACY,
    endpoint: "v3",
    requestId: "12202888",
    path: "/api/v3/fetch/12202888",
    body: keyOnly,
    response: FLUX_RESPONSE,
    output: [FLUX_PNG],
    proxyLinks: null,
  },
  {
    title: "Enterprise: Fetch Queued Request Endpoint",
    origin: CURRENT,
    endpoint: "v1/enterprise/interior",
    requestId: "454",
    path: "/api/v1/enterprise/interior/fetch/454",
    body: keyOnly,
    response: INTERIOR_RESPONSE,
    output: [INTERIOR_PNG],
    proxyLinks: [INTERIOR_PROXY],
  },
  {
    title: "Enterprise: Fetch Queued Request Endpoint, its PHP and Node samples",
    origin: CURRENT,
    endpoint: "v6/fashion",
    requestId: "454",
    path: "/api/v6/fashion/fetch/454",
    body: keyOnly,
    response: INTERIOR_RESPONSE,
    output: [INTERIOR_PNG],
    proxyLinks: [INTERIOR_PROXY],
  },
  {
    title: "Enterprise: Fetch Queued Images Endpoint",
    origin: CURRENT,
    endpoint: "v1/enterprise/flux",
    requestId: "12202888",
    path: "/api/v1/enterprise/flux/fetch/12202888",
    body: keyOnly,
    response: FLUX_RESPONSE,
    output: [FLUX_PNG],
    proxyLinks: null,
  },
  {
    title: "Dreambooth V4 Fetch Queued Images Endpoint",
    origin: LEGACY,
    endpoint: "v4/dreambooth",
    requestId: "13443927",
    path: "/api/v4/dreambooth/fetch",
    body: keyAndId("13443927"),
    // The page ends each line with the two spaces of a Markdown line break.
    response: `{  \n  "status": "success",  \n  "id": 13443927,  \n  "output": [  \n    "${DREAMBOOTH_PNG}"  \n  ]  \n}`,
    output: [DREAMBOOTH_PNG],
    proxyLinks: null,
  },
];

/** Generation answers as they were captured on the wire (PHP's JSON: slashes escaped). */
export const CAPTURED = {
  video: String.raw`{"status":"processing","tip":"Your image is processing in background, you can get this image using fetch API","eta":10,"message":"Try to fetch request after seconds estimated","fetch_result":"https:\/\/modelslab.com\/api\/v6\/video\/fetch\/65919758","id":65919758,"output":[],"meta":{},"future_links":["https:\/\/pub-3626123a908346a7a8be8d9295f44e26.r2.dev\/generations\/37c09e3e-c1a4-4786-b211-934a84aadb27.gif"]}`,
  legacy: String.raw`{"status":"processing","tip":"Get 20x faster image generation using enterprise plan. Click here : https:\/\/stablediffusionapi.com\/enterprise","tip_1":"Your image is processing in background, ...","eta":6,"messege":"Try to fetch request after seconds estimated","fetch_result":"https:\/\/stablediffusionapi.com\/api\/v3\/fetch\/65704373","id":65704373,"output":"","future_links":["https:\/\/pub-3626123a908346a7a8be8d9295f44e26.r2.dev\/generations\/0a14364c-278e-4754-8cb3-3ec807efe4a2.mp4"],"meta":{}}`,
  dreambooth: `{"status":"processing","eta":13.067986918399999,"messege":"Try to fetch request after seconds estimated","webhook_status":"","fetch_result":"https://stablediffusionapi.com/api/v3/dreambooth/fetch/29763508","id":29763508,"output":[]}`,
  controlnet: `{"status":"processing","eta":146.5279869184,"messege":"Try to fetch request after seconds estimated","fetch_result":"https://stablediffusionapi.com/api/v3/fetch/29763509","id":29763509,"output":""}`,
  stillProcessing: `{"status":"processing","messege":"Request processing","output":""}`,
  deepfakeSuccess: `{"status":"success","id":263,"output":["https://pub-3626123a908346a7a8be8d9295f44e26.r2.dev/generations/9a0b.mp4"],"tip":"","proxy_links":null}`,
} as const;

/** Refusals as the provider's pages and captures write them, with what each one means. */
export const REFUSALS = {
  rateLimit: `{"status":"error","message":"Rate limit exceeded","tips":"you are sending same request multiple times, spam filter is enabled, please wait for 30 seconds and try again"}`,
  rateLimitMessege: `{"status":"error","messege":"Rate limit exceeded"}`,
  queueLimit: `{"status":"error","message":"Rate limit exceeded. Maximum 5 queued requests allowed.","retry_after":30}`,
  invalidApiKey: `{"status":"error","message":"Invalid Api Key","tip":"1. Make sure you are passing Content-Type: application/json in header. ..."}`,
  invalidKey: `{"status":"error","message":"Invalid API key"}`,
  tryAgain: `{"status":"failed","id":"","message":"Failed, Try Again","output":""}`,
  promptRequired: `{"status":"error","message":{"prompt":["The prompt field is required."]}}`,
  modelUnknown: `{"status":"error","message":"Model id not found"}`,
  notFound: String.raw`{"status":"failed","id":"","message":"Request not found","output":"","tip":"Get 20x faster image generation using enterprise plan. Click here : https:\/\/modelslab.com\/enterprise"}`,
  invalidRequest: String.raw`{"status":"error","message":"Invalid API Request","tip":"1. Make sure you are passing Content-Type: application\/json in header. ..."}`,
  keyRequired: `{"status":"error","message":"API key required"}`,
  monthlyLimit: `{"status":"error","message":"Your monthly limit exceeded, upgrade subscription now on https://stablediffusionapi.com/pricing"}`,
  noCredits: `{"status":"error","message":"Insufficient credits. Please top up."}`,
  internal: `{"status":"error","message":"Internal server error. Please try again."}`,
  unavailable: `{"status":"error","message":"Service temporarily unavailable. Please try again."}`,
} as const;
