import { describe, expect, test } from "vitest";
import { JsonNumber } from "../../src/bodies/json-number.ts";
import { JsonPath } from "../../src/openapi/json-path.ts";
import { document, read, shown } from "./kit.ts";

const API = document(`
paths:
  /orders:
    get: { operationId: list, tags: [a] }
    delete: { operationId: purge }
  /items:
    get: { operationId: items, x-internal: true }
`);

function overlaid(actions: string): ReturnType<typeof read> {
  const overlay = `overlay: 1.0.0\nactions:\n${actions.replace(/^\n/, "")}`;
  return read({ "api/orders.yaml": API, "api/over.yaml": overlay }, { overlays: ["api/over.yaml"] });
}

test("what an Overlay adds has its place in the Overlay's file, what it leaves its own", () => {
  const { description, findings } = overlaid(`
  - target: $.paths['/orders']
    update:
      post: { operationId: create }
`);
  expect(findings.warnings).toEqual([]);
  expect(description?.operations.map(({ id, place }) => `${id} ${place.file}:${place.line}`)).toEqual([
    "list api/orders.yaml:4",
    "create api/over.yaml:5",
    "purge api/orders.yaml:5",
    "items api/orders.yaml:7",
  ]);
});

test("objects are merged, lists go on, values are replaced", () => {
  const { description } = overlaid(`
  - target: $.paths[*].get
    update: { tags: [b], security: [{ key: [] }] }
`);
  expect(description?.root.at("paths")?.at("/orders")?.at("get")?.value).toEqual({
    operationId: "list",
    tags: ["a", "b"],
    security: [{ key: [] }],
  });
  const [list, , items] = description?.operations ?? [];
  expect(list?.security?.[0]?.schemes[0]?.name).toBe("key");
  expect(items?.security?.[0]?.place).toMatchObject({ file: "api/over.yaml", line: 4 });
});

test("what one action wrote to several places, another changes in one of them", () => {
  const { description } = overlaid(`
  - target: $.paths[*].get
    update: { security: [{ key: [] }] }
  - target: $.paths['/orders'].get.security[0]
    update: { other: [] }
`);
  const schemes = description?.operations.map(({ security }) => security?.[0]?.schemes.map(({ name }) => name));
  expect(schemes).toEqual([["key", "other"], undefined, ["key"]]);
});

test("parts are removed, also by what they say", () => {
  const { description } = overlaid(`
  - { target: "$.paths[*][?@.x-internal == true]", remove: true }
  - { target: "$.paths['/orders'].delete", remove: true }
`);
  expect(description?.operations.map(({ id }) => id)).toEqual(["list"]);
});

test("a target that meets nothing is told, for a rule that closes nothing is a slip", () => {
  const { findings } = overlaid("  - { target: \"$.paths['/oders']\", remove: true }\n");
  expect(findings.warnings.map(shown)).toEqual(["api/over.yaml:3:7 the target meets nothing in the document"]);
});

test.each([
  ["  - { target: paths, remove: true }\n", "expected a JSONPath, which begins with $"],
  ["  - { target: '$.paths[0:2]', remove: true }\n", "no JSONPath that is known here: expected ] at character 10"],
  ["  - { target: $, remove: true }\n", "the whole document cannot be removed"],
  [
    "  - { target: $.openapi, update: { a: 1 } }\n",
    "an object cannot be added to a value of the document; expected another one, or 'remove' before",
  ],
  [
    "  - { target: $, update: { paths: } }\n",
    "nothing cannot be added to an object of the document; expected another one, or 'remove' before",
  ],
  ["  - { target: $.paths }\n", "neither 'update', 'copy' nor 'remove: true'; expected one of them"],
  ["  - { target: $.paths, update: {}, copy: $.info }\n", "'update' and 'copy' in one action; expected one of them"],
  ["  - { target: $.paths, copy: '$.paths.*' }\n", "'copy' means 2 parts of the document; expected one"],
  ["  - { target: $.paths, copy: $.none }\n", "'copy' means 0 parts of the document; expected one"],
  ["  - { target: $.paths, copy: { a: 1 } }\n", "expected a JSONPath, as in $.paths['/orders'].get"],
  ["  - { update: {} }\n", "'target' is missing; expected a JSONPath, as in $.paths['/orders'].get"],
])("%s is a problem", (actions, text) => {
  expect(overlaid(actions).findings.problems.map((problem) => problem.text)).toEqual([text]);
});

test("copy brings a part of the document to others, with the places that it has", () => {
  const { description, findings } = overlaid(`
  - { target: $.paths, update: { /new: {} } }
  - { target: "$.paths['/new']", copy: "$.paths['/orders']" }
  - { target: "$.paths['/new'].get", update: { operationId: other } }
  - { target: "$.paths['/orders'].delete", remove: true }
`);
  expect(findings.problems).toEqual([]);
  expect(description?.operations.map(({ id, place }) => `${id} ${place.file}:${place.line}`)).toEqual([
    "list api/orders.yaml:4",
    "items api/orders.yaml:7",
    "other api/orders.yaml:4",
    "purge api/orders.yaml:5",
  ]);
});

test("copy takes its part as it was before, also where it is copied into itself", () => {
  const { description } = overlaid("  - { target: \"$.paths['/items'].get\", copy: $.paths }\n");
  const item = description?.root.at("paths")?.at("/items")?.at("get");
  expect(Object.keys(item?.members ?? {})).toEqual(["operationId", "x-internal", "/orders", "/items"]);
  expect(item?.at("/items")?.value).toEqual({ get: { operationId: "items", "x-internal": true } });
});

test("copy that doubles the document again and again ends as a problem", () => {
  const action = "  - { target: $.paths, copy: $ }\n";
  const { findings } = overlaid(action.repeat(40));
  expect(findings.problems.at(-1)?.text).toBe("the Overlay writes more than 200000 values");
});

test("a value is replaced by a value, and long numbers stay whole", () => {
  const { description } = overlaid(`
  - { target: "$.paths['/orders'].get.operationId", update: all }
  - { target: "$.paths['/orders'].get", update: { x-max: 9223372036854775807 } }
  - { target: "$.paths['/items'].get", copy: "$.paths['/orders'].get" }
`);
  expect(description?.operations.map(({ id }) => id)).toEqual(["all", "purge", "all"]);
  const items = description?.root.at("paths")?.at("/items")?.at("get");
  expect(items?.value).toMatchObject({ "x-max": new JsonNumber("9223372036854775807") });
});

test("an Overlay may bring references to other files, which are read then", () => {
  const overlay = "overlay: 1.0.0\nactions: [{ target: $.paths, update: { /new: { $ref: new.yaml } } }]\n";
  const files = { "api/orders.yaml": API, "api/over.yaml": overlay, "api/new.yaml": "get: { operationId: new }\n" };
  const { description } = read(files, { overlays: ["api/over.yaml"] });
  expect(description?.operations.at(-1)).toMatchObject({ id: "new", place: { file: "api/new.yaml" } });
});

describe("JSONPath (RFC 9535)", () => {
  const store = {
    books: [
      { t: "a", p: 5 },
      { t: "b", p: 9, deep: { t: "c" } },
    ],
    "x y": 1,
  };
  const found = (text: string): unknown => {
    const path = JsonPath.parse(text);
    return path.ok ? path.value.find(store)?.map(({ value }) => value) : path.error;
  };

  test.each([
    ["$['x y']", [1]],
    ["$.books[-1].t", ["b"]],
    ["$..t", ["a", "b", "c"]],
    ["$.books[?@.p > 5 && @.deep].t", ["b"]],
    ["$.books[?!(@.p >= 9) || @.t == 'zzz'].t", ["a"]],
    ["$.books[0, 1].p", [5, 9]],
    ["$.none", []],
  ])("%s", (text, values) => {
    expect(found(text)).toEqual(values);
  });
});
