/**
 * Answers of any shape, over the real wire: what the callback gets of them is compared byte for byte with what the
 * provider sent, in both formats, with a `track_id` of the caller's and of the provider's own.
 */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { literal, type Members, members, number, space, written } from "../../support/json-text.ts";
import type { Field } from "./field.ts";

export interface RoundTrip {
  /** As the provider sends it. */
  readonly answer: string;
  readonly format: "provider" | "standard";
  /** JSON text; `null`: the caller gives none. */
  readonly trackId: string | null;
  /** What the event must be, or, in the standard format, must hold. */
  readonly expected: string;
}

const LIMIT_MS = 60_000;

const output = fc.tuple(literal, number).map(([text, big]) => `[${text},${big},"https://cdn.example/a.png"]`);

/** The members of a success, in any order, with white space of any kind. */
const success = fc
  .tuple(members, output, fc.nat(6), fc.nat(6))
  .map(([others, made, first, second]): Members => {
    const all = [...others];
    all.splice(first % (all.length + 1), 0, ['"status"', '"success"']);
    all.splice(second % (all.length + 1), 0, ['"output"', made]);
    return all;
  });

const trackId = fc.option(fc.oneof(literal, number), { nil: null });

const roundTrip: fc.Arbitrary<RoundTrip> = fc
  .tuple(success, space, fc.constantFrom("provider" as const, "standard" as const), trackId, trackId)
  .map(([list, s, format, trackId, own]) => {
    const text = (its: string | null): string =>
      written(its === null ? list : [['"track_id"', its], ...list], s).trim();
    const answer = `${s}${text(own)}${s}`;
    return { answer, format, trackId, expected: expectedOf(format, text, own, trackId) };
  });

function expectedOf(
  format: RoundTrip["format"],
  text: (own: string | null) => string,
  own: string | null,
  trackId: string | null,
): string {
  if (format === "standard") return `"provider":${text(own)},"error":null,"metadata":${metadataOf(trackId)},`;
  if (trackId === null) return text(own);
  // The provider's own gives way; else it stands behind the rest.
  return own === null ? `${text(null).slice(0, -1)},"track_id":${trackId}}` : text(trackId);
}

const metadataOf = (trackId: string | null): string => (trackId === null ? "{}" : `{"track_id":${trackId}}`);

export interface RoundTripsResult {
  readonly compared: number;
  readonly bytes: number;
  readonly failures: readonly string[];
}

/** So many at once. A failure names the seed, and the text. */
export async function compareRoundTrips(
  field: Field,
  count: number,
  seed: number,
): Promise<RoundTripsResult> {
  const trips = fc.sample(roundTrip, { numRuns: count, seed });
  const failures: string[] = [];
  let [compared, bytes] = [0, 0];
  await Promise.all(
    trips.map(async (trip, i) => {
      const id = field.newId();
      field.answers.set(String(id), trip.answer);
      await field.register(registration(field, id, trip));
      const path = `/hook/${id}`;
      const [delivery] = await field.receiver.waitForCount(path, 1, LIMIT_MS).catch(() => []);
      const expected = Buffer.from(trip.expected);
      const isSame =
        trip.format === "provider"
          ? delivery?.bodySha256 === createHash("sha256").update(expected).digest("hex")
          : delivery?.body.includes(trip.expected);
      if (!isSame || !delivery?.verified)
        failures.push(
          `Round trip ${i} of seed ${seed} (${trip.format}, track_id ${trip.trackId}) of ${trip.answer} came as ${delivery?.body}.`,
        );
      compared++;
      bytes += expected.length;
    }),
  );
  return { compared, bytes, failures };
}

/** As text: what JSON.stringify would make of a number is not what it was. */
const registration = (field: Field, id: number, { format, trackId }: RoundTrip): string =>
  `{"fetch_url":"${field.provider.origin}/api/v3/fetch/${id}","callback_url":"${field.receiver.hookUrl(String(id))}","key":"key-of-trip-${id}","eta":1,"format":"${format}","metadata":${metadataOf(trackId)}}`;
