/**
 * The schemas of answers against the types that the server answers with: this file does not compile when a field or a word
 * is on one side only. `npx tsc` is the test; what runs here says so.
 */
import type * as v from "valibot";
import { expect, it } from "vitest";
import type { DestinationJson } from "../../src/http/destinations.ts";
import type { problemBody } from "../../src/http/problem.ts";
import type { DeliveryFailure, TimelineEntry as StoredEntry } from "../../src/job/record.ts";
import type { JobFields } from "../../src/job/view.ts";
import type {
  Destination,
  Figures,
  Flow,
  Job,
  ListedJob,
  Operation,
  Problem,
  SeriesPart,
  Statuses,
  TimelineEntry,
} from "../../src/openapi/answers.ts";
import type { Operation as StoredOperation } from "../../src/tenant/operations.ts";
import type { FlowState } from "../../src/tenant/rules.ts";
import type { Figures as CountedFigures, Stats as CountedStats } from "../../src/tenant/stats.ts";
import type { EventFormat } from "../../src/webhook/event.ts";
import { type Frozen, is, type Same } from "../support/same.ts";

type Said<Schema extends v.GenericSchema> = Frozen<v.InferOutput<Schema>>;
/** Of these the server's type says only that they are strings. */
type Loose = "format" | "delivery_error";

it("says of every answer what the server's types say", () => {
  is<Same<Omit<Said<typeof ListedJob>, "metadata" | Loose>, Omit<JobFields, Loose>>>();
  is<Same<Said<typeof ListedJob>["format"], EventFormat>>();
  is<Same<NonNullable<Said<typeof ListedJob>["delivery_error"]>["reason"], DeliveryFailure>>();
  is<Same<keyof Said<typeof Job>, keyof JobFields | "metadata" | "result" | "timeline">>();
  is<Same<Said<typeof TimelineEntry>["type"], StoredEntry["type"]>>();
  is<Same<Said<typeof Operation>, StoredOperation>>();
  is<Same<Said<typeof Figures>, CountedFigures>>();
  is<Same<Said<typeof Statuses>, CountedStats["statuses"]>>();
  is<Same<Said<typeof SeriesPart>, Frozen<CountedStats["series"][number]>>>();
  is<Same<Said<typeof Flow>, FlowState>>();
  is<Same<Said<typeof Destination>, Frozen<DestinationJson>>>();
  is<Same<keyof Said<typeof Problem>, keyof ReturnType<typeof problemBody>>>();
  expect(is).not.toThrow();
});
