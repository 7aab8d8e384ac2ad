import { type CompiledSchema, compileSchema } from "../../schema/compile.ts";
import type { Dialect } from "../../schema/dialect.ts";
import { inlineDocument, readDocument, type SchemaProblem } from "../../schema/document.ts";
import type { Judgement } from "../../schema/judge/validator.ts";
import { type View, viewKey } from "../../schema/requests.ts";
import { err, type Result } from "../../support/result.ts";
import { SchemaFiles } from "./schema-files.ts";

/** Null where the value of a parameter fits, else all that is wrong with it: never the value itself. */
export type ParameterValidator = (value: unknown) => Judgement;

export interface BodySchemaOptions {
  /** Of a file without `$schema`. */
  readonly dialect: Dialect;
  readonly refusesOtherCase: boolean;
  /** See `CompileOptions`. */
  readonly view: View | null;
}

const COMPILED_MAX = 1000;
const COMPILED_TEXT_MAX = 1024;

/** Small schemas of parameters by their text: a policy has the same few in a thousand routes. */
const compiled = new Map<string, Result<CompiledSchema, readonly SchemaProblem[]>>();

/**
 * Schema of a parameter, as it stands in the policy → compiled, or all that is wrong with it. Where some of it came from elsewhere,
 * which `ownText` tells, no denial shows what it wants.
 */
export function compileParameterSchema(
  schema: unknown,
  ownText: (text: string) => string,
): Result<CompiledSchema, readonly SchemaProblem[]> {
  let hidesValues = false;
  const text = JSON.stringify(schema, (_, value: unknown) => {
    hidesValues ||= typeof value === "string" && ownText(value) !== value;
    return value;
  });
  const key = `${hidesValues} ${text}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  // Read anew: what a YAML alias has in two places stands in each of them.
  const result = compileParameter(JSON.parse(text), hidesValues);
  if (text.length <= COMPILED_TEXT_MAX) {
    if (compiled.size >= COMPILED_MAX) compiled.clear();
    compiled.set(key, result);
  }
  return result;
}

function compileParameter(schema: unknown, hidesValues: boolean): Result<CompiledSchema, readonly SchemaProblem[]> {
  const result = compileSchema(inlineDocument("file:///policy", schema), {
    dialect: "2020-12",
    assertsFormat: true,
    takesUnknownKeywords: false,
    refusesOtherCase: true,
    hidesValues,
    retrieve: () => null,
  });
  if (!result.ok) return result;
  const [word] = result.value.unenforced.keys();
  // A file of schemas serves many programs; the policy is for this one alone.
  if (word !== undefined) return err([{ place: null, pointer: "", text: `'${word}' means nothing here; take it out` }]);
  return result;
}

/** Results of a compilation by the bytes of their file, which many routes may name. */
const ofFile = new WeakMap<Buffer, Map<string, Result<CompiledSchema, readonly SchemaProblem[]>>>();

/** `readFile`: content of a file by its name relative to the policy; null, with a problem, where there is none. */
export function compileBodySchema(
  name: string,
  bytes: Buffer,
  options: BodySchemaOptions,
  readFile: (name: string) => Buffer | null,
): Result<CompiledSchema, readonly SchemaProblem[]> {
  const key = `${name} ${options.dialect} ${options.refusesOtherCase} ${viewKey(options.view)}`;
  const known = ofFile.get(bytes)?.get(key);
  if (known !== undefined) return known;
  const result = compileFile(name, bytes, options, readFile);
  const results = ofFile.get(bytes) ?? new Map<string, typeof result>();
  ofFile.set(bytes, results.set(key, result));
  return result;
}

function compileFile(
  name: string,
  bytes: Buffer,
  options: BodySchemaOptions,
  readFile: (name: string) => Buffer | null,
): Result<CompiledSchema, readonly SchemaProblem[]> {
  const files = new SchemaFiles(name, readFile);
  const document = readDocument(files.rootUri, name, bytes);
  if (!document.ok) return err([document.error]);
  files.know(document.value);
  return compileSchema(document.value, {
    ...options,
    assertsFormat: true,
    takesUnknownKeywords: false,
    retrieve: (uri) => files.retrieve(uri),
  });
}
