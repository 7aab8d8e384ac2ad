import { parameterValues } from "./parameter-values.ts";
import type { LocatedSchema, SchemaSource } from "./schema-source.ts";
import { type Settings, settingsOf } from "./settings.ts";

const DEPTH_MAX = 12;
/** Members of members that are changed. */
const NESTED_MAX = 3;
const MUTATIONS_MAX = 96;

/** A value that the schema takes, as far as what it says at each level tells: the least of it. */
export function sampleOf({ schema, file }: LocatedSchema, source: SchemaSource, depth = 0): unknown {
  if (depth > DEPTH_MAX) return null;
  const inner = (value: unknown): unknown => sampleOf(source.open(value, file), source, depth + 1);
  const { const: only, enum: listed, allOf, oneOf, anyOf } = schema;
  if (only !== undefined) return only;
  if (Array.isArray(listed)) return listed[0];
  if (Array.isArray(allOf)) {
    const { allOf: _all, ...rest } = schema;
    return Object.assign({}, ...allOf.map(inner), sampleOf({ schema: rest, file }, source, depth + 1));
  }
  const choice = oneOf ?? anyOf;
  if (Array.isArray(choice)) return inner(choice[0]);
  switch (typeOf(schema, depth)) {
    case "object":
      return Object.fromEntries(
        requiredOf(schema).map((name) => [name, inner(settingsOf(schema["properties"])[name])]),
      );
    case "array":
      return Array.from({ length: Number(schema["minItems"] ?? 0) % 16 }, () => inner(schema["items"]));
    case "integer":
    case "number":
      return Number(parameterValues(schema).good[0]);
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return parameterValues(schema).good[0];
  }
}

function typeOf(schema: Settings, depth: number): unknown {
  const { type, properties } = schema;
  if (Array.isArray(type)) return type[0];
  return type ?? (properties !== undefined || depth === 0 ? "object" : "string");
}

function requiredOf({ required }: Settings): readonly string[] {
  return Array.isArray(required) ? required.filter((name) => typeof name === "string") : [];
}

/**
 * The sample with one member of it less, more, of another type, or at a bound of its own schema, and so within each member.
 * `patterns`: of the place.
 */
export function mutationsOf(
  located: LocatedSchema,
  source: SchemaSource,
  patterns: readonly string[],
  depth = 0,
): readonly unknown[] {
  const sample = sampleOf(located, source);
  if (typeof sample !== "object" || sample === null || Array.isArray(sample)) return [sample, {}, []];
  const whole = settingsOf(sample);
  const { schema, file } = located;
  const mutations: unknown[] = [sample, { ...whole, zz9: 1 }];
  for (const name of requiredOf(schema)) {
    mutations.push(Object.fromEntries(Object.entries(whole).filter(([key]) => key !== name)));
  }
  for (const [name, value] of Object.entries(settingsOf(schema["properties"]))) {
    const member = source.open(value, file);
    const type = typeOf(member.schema, 1);
    mutations.push({ ...whole, [name]: sampleOf(member, source, 1) });
    mutations.push({ ...whole, [name]: type === "string" ? 1 : "x" });
    const { good, bad } = parameterValues(member.schema, patterns);
    const isNumber = type === "integer" || type === "number";
    for (const text of [...good, ...bad])
      mutations.push({ ...whole, [name]: isNumber && text !== "x" ? Number(text) : text });
    if (depth >= NESTED_MAX || type !== "object") continue;
    for (const inner of mutationsOf(member, source, patterns, depth + 1)) mutations.push({ ...whole, [name]: inner });
  }
  return mutations.slice(0, MUTATIONS_MAX);
}
