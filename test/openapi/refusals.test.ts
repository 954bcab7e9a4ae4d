/**
 * The examples of refusals: each operation shows its own, with the scope that it takes and fields that it has.
 */
import { describe, expect, it } from "vitest";
import { OPERATIONS } from "../../src/openapi/document.ts";
import { REQUESTS } from "../../src/openapi/requests.ts";
import document from "../../src/site/openapi.json" with { type: "json" };

describe("the refusals of", () => {
  const paths = document.paths as unknown as Readonly<
    Record<string, Record<string, { responses: Record<number, { $ref?: string }> }>>
  >;
  const shared = document.components.responses as unknown as Readonly<
    Record<string, { content: Record<string, { examples: Record<string, { value: Example }> }> }>
  >;
  interface Example {
    readonly detail?: string;
    readonly message?: string;
    readonly field?: string;
  }

  it.each(OPERATIONS)(
    "$id name its own scope and its own fields",
    ({ path, method, scope, body, ...operation }) => {
      const responses = Object.values(paths[path]?.[method]?.responses ?? {});
      const examples = responses.flatMap(({ $ref }) => {
        const { content = {} } = shared[$ref?.split("/").at(-1) ?? ""] ?? {};
        return Object.values(content).flatMap((one) => Object.entries(one.examples));
      });
      expect(examples.map(([code]) => code).sort()).toEqual([...operation.problems].sort());
      const schema = typeof body?.schema === "string" ? REQUESTS[body.schema as "Bulk"] : body?.schema;
      const fields = [
        ...Object.keys((schema?.properties ?? {}) as object),
        ...(operation.parameters ?? []).map(({ name }) => name),
      ];
      for (const [code, { value }] of examples) {
        if (code === "insufficient_scope" && scope !== null) expect(value.detail).toContain(` ${scope}.`);
        const says = value.detail ?? value.message ?? "";
        const named = value.field ?? /^([a-z_]+) must be/.exec(says)?.[1];
        if (code !== "unknown_field" && named !== undefined) expect(fields, says).toContain(named);
      }
    },
  );
});
