/**
 * The five pages of the provider's documentation that Pollhook was started from, as data: the endpoint each
 * page describes, where it puts the id, and its example response to the byte. Two ids appear on two pages
 * each: an id alone does not name a request, an endpoint and an id do.
 */
export interface SeedPage {
  page: string;
  endpoint: string;
  idIn: "path" | "body";
  requestId: string;
  /** The JSON text of the page's "Example Response", with the page's own white space. */
  exampleResponse: string;
  /** Another endpoint in the same page's samples: its PHP and Node tabs differ from its text. */
  alsoInSamples?: string;
}

const OUTPUT_13443927 =
  "https://pub-8b49af329fae499aa563997f5d4068a4.r2.dev/generations/6ef3f81f-14e1-4835-b07a-e00dbe80b6ff-0.png";
const OUTPUT_12202888 =
  "https://pub-8b49af329fae499aa563997f5d4068a4.r2.dev/generations/e5cd86d3-7305-47fc-82c1-7d1a3b130fa4-0.png";

export const SEED_PAGES: readonly SeedPage[] = [
  {
    page: "Enterprise: Fetch Queue Image",
    endpoint: "v1/enterprise",
    idIn: "body",
    requestId: "13443927",
    exampleResponse: `{\n"status": "success",\n"id": 13443927,\n"output": [\n"${OUTPUT_13443927}"\n]\n}`,
  },
  {
    page: "Fetch Queued Images Endpoint",
    endpoint: "v3",
    idIn: "path",
    requestId: "12202888",
    exampleResponse: `{\n"status": "success",\n"id": 12202888,\n"output": [\n"${OUTPUT_12202888}"\n]\n}`,
  },
  {
    page: "Enterprise: Fetch Queued Request Endpoint",
    endpoint: "v1/enterprise/interior",
    idIn: "path",
    requestId: "454",
    exampleResponse: `{
"status": "success",
"id": 454,
"output": [
"https://pub-3626123a908346a7a8be8d9295f44e26.r2.dev/generations/271cedbb-c6ae-4042-8c81-4e59b7af37c8.png"
],
"proxy_links": [
"https://cdn2.stablediffusionapi.com/generations/271cedbb-c6ae-4042-8c81-4e59b7af37c8.png"
]
}`,
    alsoInSamples: "v6/fashion",
  },
  {
    page: "Enterprise: Fetch Queued Images Endpoint",
    endpoint: "v1/enterprise/flux",
    idIn: "path",
    requestId: "12202888",
    exampleResponse: `{\n"status": "success",\n"id": 12202888,\n"output": [\n"${OUTPUT_12202888}"\n]\n}`,
  },
  {
    page: "Dreambooth V4 Fetch Queued Images Endpoint",
    endpoint: "v4/dreambooth",
    idIn: "body",
    requestId: "13443927",
    // This page alone ends its lines with the two spaces of a Markdown line break.
    exampleResponse: `{  \n  "status": "success",  \n  "id": 13443927,  \n  "output": [  \n    "${OUTPUT_13443927}"  \n  ]  \n}`,
  },
];
