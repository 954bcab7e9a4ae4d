import { describe, expect, it } from "vitest";
import { readCall } from "../../src/provider/calls.ts";
import { CATALOGUE } from "../../src/provider/endpoints.ts";

describe("a path of the provider's API", () => {
  it.each(Object.keys(CATALOGUE))("fetches, with and without the id: %s", (endpoint) => {
    expect(readCall(`/api/${endpoint}/fetch/12`)).toEqual({ kind: "fetch", endpoint, requestId: "12" });
    expect(readCall(`/api/${endpoint}/fetch`)).toEqual({ kind: "fetch", endpoint, requestId: null });
    expect(readCall(`/api/${endpoint}/fetch/`)).toEqual({ kind: "fetch", endpoint, requestId: null });
  });

  it.each([
    "v3/text2img",
    "v4/dreambooth",
    "v4/dreambooth/img2img",
    "v5/controlnet",
    "v6/images/text2img",
    "v6/realtime/inpaint",
    "v6/video/text2video",
    "v6/3d/text_to_3d",
    "v7/images/text-to-image",
    "v7/video-fusion/image-to-video",
    "v1/enterprise/text2img",
    "v1/enterprise/super_resolution",
    "v1/enterprise/flux_headshot/make_gen",
  ])("generates: %s", (path) => {
    expect(readCall(`/api/${path}`)).toEqual({ kind: "call", path, generates: true });
  });

  // Those of the provider's page on fetching, and others of its pages.
  it.each([
    ...["system_details", "restart_server", "update_server", "update_s3", "clear_cache", "schedulers_list"],
    ...[
      "load_model",
      "verify_model",
      "get_all_models",
      "delete_model",
      "upload_image",
      "sync_image",
      "load_vae",
    ],
    ...[
      "nsfw_image_check",
      "clear_queue",
      "update",
      "flux/restart_server",
      "interior/clear_cache",
      "x/start",
    ],
  ])("does not generate: v1/enterprise/%s", (name) => {
    const path = `v1/enterprise/${name}`;
    expect(readCall(`/api/${path}`)).toEqual({ kind: "call", path, generates: false });
  });

  it.each([
    "v6/processing/request_count",
    "v3/delete_image",
    "v3/fine_tune",
    "v4/dreambooth/model_list",
    "v6/voice/voice_upload",
    "v6/images/TEXT2IMG",
    "v6/images/text2img2",
    "v6/text2img/delete",
    "v1/enterprise/restart_server/text2img",
    "v3/delete_model/make",
    "v3/finetune/dreambooth",
    ...["sync_image", "schedulers_list", "get_all_models", "nsfw_image_check", "system_details"].map(
      (name) => `v1/enterprise/${name}/text2img`,
    ),
  ])("does not generate: %s", (path) => {
    expect(readCall(`/api/${path}`)).toEqual({ kind: "call", path, generates: false });
  });

  it.each([
    ["no version", "/api/text2img"],
    ["a version alone", "/api/v3"],
    ["an unknown version", "/api/v8/text2img"],
    ["v1 without enterprise", "/api/v1/text2img"],
    ["the enterprise prefix alone", "/api/v1/enterprise"],
    ["another case", "/api/V6/images/text2img"],
    ["five segments", "/api/v1/enterprise/a/b/text2img"],
    ["an encoded slash", "/api/v6/images%2ftext2img"],
    ["an encoded letter", "/api/v6/images/text2im%67"],
    ["a dot", "/api/v6/images/text2img.json"],
    ["an encoded dot", "/api/v6/images/%2e%2e/text2img"],
    ["a doubled slash", "/api/v6//images/text2img"],
    ["a semicolon", "/api/v6/images/text2img;a"],
    ["a backslash", "/api/v6/images\\text2img"],
    ["fetch in the middle", "/api/v6/fetch/images/text2img"],
    ["an id that is none", "/api/v3/fetch/a%20b"],
    ["an id too long", `/api/v3/fetch/${"1".repeat(129)}`],
    ["fetch alone", "/api/fetch/12"],
    ["another prefix", "/apis/v3/fetch/12"],
    ["something in front", "/x/api/v3/fetch/12"],
    ["a line end", "/api/v3/text2img\n"],
  ])("is none with %s", (_, path) => {
    expect(readCall(path)).toBeNull();
  });
});
