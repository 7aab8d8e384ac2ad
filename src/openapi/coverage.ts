import { WITHOUT_BODY } from "../message/method.ts";
import type { SchemaPlace } from "../schema/document.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Description } from "./description.ts";
import type { DescribedParameter, Operation, SchemaReference } from "./operation.ts";
import { isMembers, type Members, Spot } from "./spot.ts";

/** A part of a request that a description leaves open. */
export interface Weakness {
  /** As in `body /items/name` or `query limit`. */
  readonly part: string;
  /** As in `no maxLength`. */
  readonly what: string;
  readonly place: SchemaPlace;
}

/** How narrowly a description says what a request may hold. */
export interface Coverage {
  /** Parts that are bounded: each value, list and object counts once. */
  readonly bounded: number;
  readonly weak: readonly Weakness[];
}

/** What an operation's parameters and body say, whoever enforces it. */
export function coverageOf(operation: Operation, description: Description): Coverage {
  const walk = new Walk(description, "readOnly");
  for (const parameter of operation.parameters) walk.parameter(parameter);
  // A request of the others has none, or is refused.
  if (operation.body === null && !WITHOUT_BODY.has(operation.method))
    walk.weaken("body", "none is declared, and any passes", operation.place);
  for (const { range, schema, itemSchema, place } of operation.body?.media ?? []) {
    const own = itemSchema ?? schema;
    if (own === null) walk.weaken(`body ${range}`, "no schema", place);
    else walk.schema(`body ${range === "application/json" ? "" : `${range} `}`, own);
  }
  return { bounded: walk.bounded, weak: walk.weak };
}

/** The same of what it promises of its answers; statuses as they stand. */
export function answersCoverageOf(operation: Operation, description: Description): Coverage {
  const walk = new Walk(description, "writeOnly");
  for (const { status, media, headers, place } of operation.answers()) {
    for (const { name, schema, content } of headers) {
      const own = schema ?? content?.schema ?? null;
      if (own === null) walk.weaken(`${status} header ${name}`, "no schema", place);
      else walk.schema(`${status} header ${name} `, own);
    }
    for (const { range, schema, itemSchema, place: at } of media) {
      const own = itemSchema ?? schema;
      if (own === null) walk.weaken(`${status} ${range}`, "no schema", at);
      else walk.schema(`${status} ${range === "application/json" ? "" : `${range} `}`, own);
    }
    // An answer whose body nobody describes may say anything; some have none.
    if (media.length === 0 && status !== "204" && status !== "304") walk.weaken(status, "no content", place);
  }
  return { bounded: walk.bounded, weak: walk.weak };
}

class Walk {
  bounded = 0;
  readonly weak: Weakness[] = [];
  readonly #description: Description;
  readonly #refused: "readOnly" | "writeOnly";
  readonly #seen = new Set<unknown>();
  #partsLeft: number = DEFAULTS.openapiPartsMax;

  /** `refused`: the word of members that may not be there. */
  constructor(description: Description, refused: "readOnly" | "writeOnly") {
    this.#description = description;
    this.#refused = refused;
  }

  weaken(part: string, what: string, place: SchemaPlace): void {
    this.weak.push({ part: part.trim(), what, place });
  }

  parameter({ in: where, name, schema, content, place }: DescribedParameter): void {
    const part = `${where} ${name}`;
    const own = schema ?? content?.schema ?? null;
    if (own === null) this.weaken(part, "no schema", place);
    else this.schema(`${part} `, own);
  }

  schema(part: string, { document, pointer, value }: SchemaReference): void {
    this.#visit(part, "", new Spot(document, pointer, value, null, ""), null);
  }

  /** `around`: the place of what leads here, for a schema that knows none itself. */
  #visit(part: string, path: string, start: Spot, around: SchemaPlace | null): void {
    const spot = this.#description.reading.references.follow(start, "it is not looked at") ?? start;
    if (this.#seen.has(spot.value) || --this.#partsLeft < 0) return;
    this.#seen.add(spot.value);
    const place = spot === start && around !== null ? around : spot.place;
    const { members } = spot;
    if (spot.flag(this.#refused)) {
      this.bounded++;
      return;
    }
    const what = weaknessOf(members);
    const name = `${part}${path === "" && !part.startsWith("body") ? "" : path || "/"}`;
    if (what === null) this.bounded++;
    else if (what !== undefined) this.weaken(name, what, this.#placeOf(spot, place));
    for (const [key, inner] of spot.at("properties")?.all() ?? [])
      this.#visit(part, `${path}/${key}`, inner, inner.place);
    for (const [key, to] of [
      ["items", `${path}/*`],
      ["additionalProperties", `${path}/*`],
    ] as const) {
      const inner = spot.at(key);
      if (inner !== null && isMembers(inner.value)) this.#visit(part, to, inner, inner.place);
    }
    for (const [at, inner] of spot.at("prefixItems")?.all() ?? [])
      this.#visit(part, `${path}/${at}`, inner, inner.place);
    for (const key of ["allOf", "anyOf", "oneOf"]) {
      for (const [, inner] of spot.at(key)?.all() ?? []) this.#visit(part, path, inner, inner.place);
    }
  }

  /** The type is what a reader looks for. */
  #placeOf(spot: Spot, usual: SchemaPlace): SchemaPlace {
    return spot.at("type")?.place ?? usual;
  }
}

/** Null where a schema bounds its value, undefined where others say what it is. */
function weaknessOf(schema: Members): string | null | undefined {
  const { type } = schema;
  const types = (Array.isArray(type) ? type : [type]).filter((one) => one !== "null");
  const has = (...keys: readonly string[]): boolean => keys.some((key) => Object.hasOwn(schema, key));
  if (has("enum", "const")) return null;
  if (types.includes("object") || has("properties")) return objectWeakness(schema);
  if (types.includes("array") || has("items", "prefixItems"))
    return has("maxItems") || schema["items"] === false ? null : "no maxItems";
  if (types.includes("string"))
    return has("maxLength", "format") ? null : has("pattern") ? "no maxLength" : "no maxLength, pattern or format";
  if (types.includes("integer") || types.includes("number")) return numberWeakness(schema);
  if (types.includes("boolean")) return null;
  return has("allOf", "anyOf", "oneOf", "$ref", "not") ? undefined : "no type";
}

function objectWeakness(schema: Members): string | null {
  const { additionalProperties, unevaluatedProperties } = schema;
  if (additionalProperties === false || unevaluatedProperties === false) return null;
  return isMembers(additionalProperties) && Object.hasOwn(schema, "maxProperties") ? null : "additionalProperties open";
}

function numberWeakness(schema: Members): string | null {
  const isBelow = Object.hasOwn(schema, "maximum") || typeof schema["exclusiveMaximum"] === "number";
  const isAbove = Object.hasOwn(schema, "minimum") || typeof schema["exclusiveMinimum"] === "number";
  if (isBelow && isAbove) return null;
  if (isBelow) return "no minimum";
  return isAbove ? "no maximum" : "no minimum or maximum";
}
