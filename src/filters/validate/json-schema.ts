import { Ajv2020, type AnySchemaObject, type Options } from "ajv/dist/2020.js";
import { DIALECT_URIS, dialectOf } from "../../schema/dialect.ts";
import { FORMAT_NAMES, type Format, formatOf } from "../../schema/formats/index.ts";
import { compilePattern } from "../../schema/pattern/index.ts";
import { excerpt } from "../../support/excerpt.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { findExplosion } from "./recursion.ts";

/** Null where the value fits, else where in the value and by which keyword it does not: never the value itself. */
export type Validator = (value: unknown) => string | null;

/** Beyond this, comparing each item with each other costs a CPU second for a body of a megabyte. */
const UNIQUE_ITEMS_MAX = 1000;

const linearRegExp = Object.assign(
  (pattern: string, flags: string) => {
    const compiled = compilePattern(pattern, { unicode: flags.includes("u") });
    if (!compiled.ok) throw new Error(`the pattern '${excerpt(pattern, 128)}': ${compiled.error.message}`);
    const { test } = compiled.value;
    // Ajv keeps compiled patterns apart by their text.
    return { test, toString: () => `/${pattern}/${flags}` };
  },
  { code: "linearRegExp" },
);

/** Ajv has read the number already: what it has lost of a spelling is lost. */
const toAjvFormat = ({ kind, test }: Format) =>
  kind === "text" ? test : { type: "number" as const, validate: (value: number) => test(String(value)) };

const FORMATS = Object.fromEntries(
  FORMAT_NAMES.flatMap((name) => {
    const format = formatOf(name, "2020-12");
    return format === null ? [] : [[name, toAjvFormat(format)]];
  }),
);

const OPTIONS: Options = {
  strict: true,
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  allErrors: false,
  messages: false,
  logger: false,
  // Otherwise `required: [constructor]` is met by every object.
  ownProperties: true,
  formats: FORMATS,
  code: { regExp: linearRegExp },
};

/** Knows the meta-schema; schemas themselves are compiled apart, so that no file can refer into another. */
let metaSchema: Ajv2020 | null = null;

const COMPILED_MAX = 1000;
const COMPILED_TEXT_MAX = 1024;

/** Small schemas, as those of parameters, by their text: a policy has the same few in a thousand routes. */
const compiled = new Map<string, Result<Validator, string>>();

/** JSON Schema 2020-12 → validator, or why it is none. */
export function compileSchema(schema: unknown): Result<Validator, string> {
  const text = JSON.stringify(schema);
  const known = compiled.get(text);
  if (known !== undefined) return known;
  // Read anew: what a YAML alias has in two places stands in each of them.
  const result = compileAnew(JSON.parse(text));
  if (text.length <= COMPILED_TEXT_MAX) {
    if (compiled.size >= COMPILED_MAX) compiled.clear();
    compiled.set(text, result);
  }
  return result;
}

function compileAnew(schema: unknown): Result<Validator, string> {
  if (typeof schema !== "boolean" && !isSchemaObject(schema)) return err("expected an object or a boolean");
  if (
    typeof schema === "object" &&
    typeof schema["$schema"] === "string" &&
    dialectOf(schema["$schema"]) !== "2020-12"
  ) {
    return err(`'$schema' is not the dialect that is read here; expected '${DIALECT_URIS[0]}'`);
  }
  const costly = findCostly(schema);
  if (costly !== null) return err(costly);
  try {
    metaSchema ??= new Ajv2020(OPTIONS);
    if (metaSchema.validateSchema(schema) !== true) {
      const [error] = metaSchema.errors ?? [];
      return err(`no JSON Schema 2020-12: '${error?.keyword ?? "?"}' fails at '${error?.instancePath || "/"}'`);
    }
    const validate = new Ajv2020({ ...OPTIONS, validateSchema: false }).compile(schema);
    if ("$async" in validate) return err("'$async' is not supported");
    const explosion = findExplosion(schema);
    if (explosion !== null) return err(explosion);
    return ok((value) => {
      if (validate(value) === true) return null;
      const [error] = validate.errors ?? [];
      return `${excerpt(error?.instancePath || "/", 128)} ${error?.keyword ?? "false schema"}`;
    });
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

function isSchemaObject(schema: unknown): schema is AnySchemaObject {
  return typeof schema === "object" && schema !== null && !Array.isArray(schema);
}

function findCostly(schema: unknown): string | null {
  if (typeof schema !== "object" || schema === null) return null;
  if ("uniqueItems" in schema && schema.uniqueItems === true) {
    const max = "maxItems" in schema ? schema.maxItems : undefined;
    if (typeof max !== "number" || max > UNIQUE_ITEMS_MAX) {
      return `'uniqueItems' compares each item with each other; expected 'maxItems' of at most ${UNIQUE_ITEMS_MAX} beside it`;
    }
  }
  for (const part of Object.values(schema)) {
    const costly = findCostly(part);
    if (costly !== null) return costly;
  }
  return null;
}
