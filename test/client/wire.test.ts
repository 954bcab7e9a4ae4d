/**
 * The client's types against those of the server: this file does not compile when a field, a word or a code is on one
 * side only. `npx tsc` is the test; what runs here says so.
 */
import type * as v from "valibot";
import { expect, it } from "vitest";
import type {
  DestinationInput,
  Destination as ShownDestination,
} from "../../src/client/destination-types.ts";
import type { ServerCode } from "../../src/client/error.ts";
import type {
  EventFormat,
  FeedQuery,
  Job,
  JobFilter,
  ListedJob,
  Registration,
} from "../../src/client/types.ts";
import type { callbackFields } from "../../src/http/callback.ts";
import type { DestinationBody } from "../../src/http/destination-input.ts";
import type { DestinationJson } from "../../src/http/destinations.ts";
import type { FeedQuery as ServerFeedQuery } from "../../src/http/feed.ts";
import type { Filter } from "../../src/http/job-filter.ts";
import type { ProblemCode } from "../../src/http/problem.ts";
import type { RegistrationBody } from "../../src/http/registration.ts";
import type { JobFields } from "../../src/job/view.ts";
import type { EventFormat as ServerFormat } from "../../src/webhook/event.ts";
import { type Frozen, is, type Same } from "../support/same.ts";

it("has the types of the schemas that the server validates with, and of what it shows", () => {
  is<Same<Registration, Frozen<v.InferInput<typeof RegistrationBody>>>>();
  is<
    Same<
      Pick<Registration, keyof typeof callbackFields>,
      v.InferInput<v.StrictObjectSchema<typeof callbackFields, undefined>>
    >
  >();
  is<Same<JobFilter, Frozen<v.InferInput<typeof Filter>>>>();
  is<Same<DestinationInput, Frozen<v.InferInput<typeof DestinationBody>>>>();
  is<Same<ShownDestination, Frozen<DestinationJson>>>();
  is<Same<Omit<ListedJob, "metadata">, JobFields>>();
  is<Same<keyof Job, keyof JobFields | "metadata" | "result" | "timeline">>();
  is<Same<EventFormat, ServerFormat>>();
  is<Same<keyof FeedQuery, keyof v.InferInput<typeof ServerFeedQuery>>>();
  // The client may know codes of a server that is newer.
  is<ProblemCode extends ServerCode ? true : false>();
  expect(is).not.toThrow();
});
