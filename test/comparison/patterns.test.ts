// Goal: two policies whose patterns differ are told apart by a text that the one takes and the other refuses, wherever it stands.
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { Comparison } from "../../src/comparison/compare.ts";
import { answerTo } from "../../src/comparison/questions.ts";
import { explainCommandLine } from "../../src/comparison/witness.ts";
import type { Files } from "../policy/policy-kit.ts";
import { compared } from "./kit.ts";

const SHORT = "'^[a-z]{1,8}$'";
const LONG = "'^[a-z]{1,12}$'";
const route = (keys: string, path = "/orders"): string =>
  `routes:\n  - { path: "${path}", methods: [GET, POST], public: true, validate: { ${keys} } }\n`;
const text = (pattern: string): string => `{ schema: { type: string, pattern: ${pattern} } }`;
interface Policy {
  readonly text: string;
  readonly files: Files;
}

const policyOf = (keys: string, path?: string): Policy => ({ text: route(keys, path), files: {} });

/** Schemas of bodies stand in files. */
const json = (schema: string): Policy => ({
  text: route("contentType: [application/json], body: { schema: order.json }"),
  files: { "order.json": JSON.stringify(parse(`{ type: object, ${schema} }`)) },
});

/** By place: what stands around the pattern. */
const PLACES: Readonly<Record<string, (pattern: string) => Policy>> = {
  "a parameter of the path": (pattern) => policyOf(`path: { id: ${text(pattern)} }`, "/orders/{id}"),
  "a parameter of the query": (pattern) => policyOf(`query: { sort: ${text(pattern)} }`),
  "a header": (pattern) => policyOf(`headers: { X-Tenant: ${text(pattern)} }`),
  "a field of a form": (pattern) => policyOf(`form: { fields: { sku: { type: string, pattern: ${pattern} } } }`),
  "a member of a body": (pattern) => json(`properties: { sku: { type: string, pattern: ${pattern} } }`),
  "a member that has to be there": (pattern) =>
    json(`required: [sku], properties: { sku: { type: string, pattern: ${pattern} } }`),
  "a member of a member": (pattern) =>
    json(`properties: { item: { type: object, properties: { sku: { type: string, pattern: ${pattern} } } } }`),
};

const comparedOf = (before: Policy, after: Policy): Promise<Comparison> =>
  compared(before.text, after.text, [before.files, after.files]);

const kinds = async (before: Policy, after: Policy): Promise<readonly string[]> =>
  (await comparedOf(before, after)).differences.map(({ kind }) => kind);

describe.each(Object.entries(PLACES))("%s", (_, place) => {
  test("takes more, takes less, takes other texts", async () => {
    expect(await kinds(place(SHORT), place(LONG))).toContain("loosened");
    expect(await kinds(place(LONG), place(SHORT))).toContain("tightened");
    const other = await kinds(place("'^A[a-z]{3}$'"), place("'^B[a-z]{3}$'"));
    expect(other).toEqual(expect.arrayContaining(["loosened", "tightened"]));
  });

  test("says the same in other words", async () => {
    expect(await kinds(place("'^[0-9]+$'"), place("'^\\d+$'"))).toEqual([]);
  });

  test("has a pattern more, or none any more", async () => {
    expect(await kinds(place("'^[a-z]+$'"), place("'^'"))).toContain("loosened");
    expect(await kinds(place("'^'"), place("'^[a-z]+$'"))).toContain("tightened");
  });

  test("answers questions", async () => {
    const [short, long] = [place(SHORT), place(LONG)];
    const ask = async (question: "implies" | "equivalent" | "disjoint", before: Policy, after: Policy) =>
      answerTo(question, await comparedOf(before, after)).holds;
    expect(await ask("implies", short, long)).toBe(true);
    expect(await ask("implies", long, short)).toBe(false);
    expect(await ask("equivalent", short, long)).toBe(false);
    expect(await ask("disjoint", short, long)).toBe(false);
  });
});

test("the witness is the shortest text that shows it", async () => {
  const { differences } = await compared(
    route(`query: { sort: ${text(SHORT)} }`),
    route(`query: { sort: ${text(LONG)} }`),
  );
  const [loosened] = differences.filter(({ kind }) => kind === "loosened");
  if (loosened === undefined) throw new Error("nothing is loosened");
  expect(explainCommandLine(loosened.witness, "p")).toContain("'GET /orders?sort=aaaaaaaaa'");
});
