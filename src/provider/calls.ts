/**
 * Which of the provider's calls a path is: fetching a request, generating something, or anything else, which may be
 * the management of servers, models and accounts. Sources: the provider's documentation pages and OpenAPI files, and
 * the code of its own clients. Pure.
 */
import { type FetchPath, readFetchPath } from "./endpoints.ts";

/** The last path segments that generate. What is not here is not taken for harmless. */
const GENERATES: ReadonlySet<string> = new Set(
  // Images.
  (
    "text2img img2img inpaint outpaint controlnet dreambooth blip_diffusion " +
    "text-to-image image-to-image super_resolution img_mixer magic_mix multiview " +
    "caption face_gen fashion flux_headshot head_shot make_gen mask_creator " +
    "object_removal qwen_edit relighting removebg_mask " +
    // Interiors.
    "interior make exterior_restorer floor_planning room_decorator scenario " +
    "scenario_changer sketch_rendering " +
    // Video and 3D.
    "text2video img2video video2video text2video_ultra img2video_ultra scene_maker " +
    "watermark_remover text-to-video image-to-video video-to-video lip-sync motion-control " +
    "single_face_swap multiple_face_swap single_video_swap specific_video_swap " +
    "text_to_3d image_to_3d " +
    // Sound.
    "text_to_audio text_to_speech speech_to_text transcribe voice_to_voice voice_cover " +
    "voice_cloning voice_design vocal_isolator create_dubbing music_gen song_generator " +
    "lyrics_generator sfx sfx_gen text-to-speech speech-to-text speech-to-speech " +
    "create-dubbing music-gen song-extender song-inpaint sound-generation " +
    // Text.
    "completions messages uncensored_chat"
  ).split(" "),
);

/** What no segment in front may say: whatever the provider makes of such a path, it is not taken for a generation. */
const MANAGES =
  /delete|restart|update|clear|load|verify|cancel|buy|train|fine_?tune|details|list$|get_all|check|sync_|server/i;

const CALL = /^\/api\/((?:v[3-7]|v1\/enterprise)(?:\/[A-Za-z0-9_-]{1,64})+)\/?$/;
const MAX_SEGMENTS = 4;

export type ProviderCall =
  | ({ readonly kind: "fetch" } & FetchPath)
  /** `path` is what stands behind `/api/`. */
  | { readonly kind: "call"; readonly path: string; readonly generates: boolean };

/**
 * Reads the path of a URL as WHATWG writes it. `null` for any other path, and for any other spelling of these: an
 * escaped character, a dot, a doubled slash.
 */
export function readCall(pathname: string): ProviderCall | null {
  const fetched = readFetchPath(pathname);
  if (fetched) return { kind: "fetch", ...fetched };
  const path = CALL.exec(pathname)?.[1];
  const segments = path?.split("/") ?? [];
  if (path === undefined || segments.length > MAX_SEGMENTS || segments.includes("fetch")) return null;
  const [last = "", ...front] = segments.reverse();
  return { kind: "call", path, generates: GENERATES.has(last) && !front.some((name) => MANAGES.test(name)) };
}
