// Goal: documents as people write them load. Method: all of a package of examples, those of each version that is read.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { readDescription } from "../../src/openapi/description.ts";
import { atOnce } from "../../src/support/turns.ts";

const folder = dirname(createRequire(import.meta.url).resolve("@readme/oas-examples/package.json"));
const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
  /^[23]\.\d\/.*\.(?:json|ya?ml)$/.test(name),
);

function load(name: string): ReturnType<typeof read> {
  return read(join(folder, name));
}

function read(file: string) {
  return atOnce(readDescription({ file, root: null, overlays: [] }, (name) => readFileSync(name)));
}

describe("of @readme/oas-examples", () => {
  const current = names.filter((name) => name.startsWith("3"));

  test("there are some of each version", () => {
    expect(current.length).toBeGreaterThan(100);
  });

  test.each(current)("%s loads, and so do its bodies' schemas", (name) => {
    const { description, findings } = load(name);
    expect(findings.problems).toEqual([]);
    expect(findings.warnings).toEqual([]);
    for (const { body } of description?.operations ?? []) {
      for (const { schema } of body?.media ?? []) {
        if (schema !== null) expect(description?.library.compile(schema, true)).toMatchObject({ ok: true });
      }
    }
  });

  test.each(names.filter((name) => name.startsWith("2")))("%s is told to be Swagger 2.0", (name) => {
    expect(load(name).findings.problems.map(({ text }) => text)).toEqual([
      "this is Swagger 2.0; expected OpenAPI 3, to which many tools convert",
    ]);
  });

  test("JSON and YAML of one document are the same operations", () => {
    const shape = (name: string): unknown =>
      load(name).description?.operations.map(({ method, template, parameters }) => [
        method,
        template,
        parameters.map((one) => [one.name, one.in, one.style, one.explode]),
      ]);
    for (const name of ["3.0/json/parameters-style.json", "3.1/json/petstore.json", "3.0/json/star-trek.json"]) {
      expect(shape(name.replaceAll("json", "yaml"))).toEqual(shape(name));
    }
  });
});
