import { parseJson } from "../../src/bodies/json.ts";
import { type CompiledSchema, compileSchema } from "../../src/schema/compile.ts";
import type { Dialect } from "../../src/schema/dialect.ts";
import { inlineDocument, readDocument } from "../../src/schema/document.ts";
import type { Fault } from "../../src/schema/judge/faults.ts";
import { ok } from "../../src/support/result.ts";

export interface SchemaOptions {
  readonly dialect?: Dialect;
  readonly refusesOtherCase?: boolean;
  readonly takesUnknownKeywords?: boolean;
  /** Other documents by URI. */
  readonly files?: Readonly<Record<string, unknown>>;
}

function compile(schema: unknown, options: SchemaOptions): ReturnType<typeof compileSchema> {
  const document =
    typeof schema === "string"
      ? readDocument("file:///schema.json", "schema.json", Buffer.from(schema))
      : ok(inlineDocument("file:///schema.json", schema));
  if (!document.ok) return { ok: false, error: [document.error] };
  return compileSchema(document.value, {
    dialect: options.dialect ?? "2020-12",
    assertsFormat: true,
    refusesOtherCase: options.refusesOtherCase ?? true,
    takesUnknownKeywords: options.takesUnknownKeywords ?? false,
    retrieve: (uri) =>
      options.files !== undefined && Object.hasOwn(options.files, uri)
        ? ok(inlineDocument(uri, options.files[uri]))
        : null,
  });
}

/** What is wrong with a schema, as `line:column text`; JSON text has lines. */
export function problemsOf(schema: unknown, options: SchemaOptions = {}): readonly string[] {
  const compiled = compile(schema, options);
  if (compiled.ok) return [];
  return compiled.error.map(({ place, text }) => (place === null ? text : `${place.line}:${place.column} ${text}`));
}

export function compiledOf(schema: unknown, options: SchemaOptions = {}): CompiledSchema {
  const compiled = compile(schema, options);
  if (!compiled.ok) throw new Error(compiled.error.map(({ text }) => text).join("; "));
  return compiled.value;
}

/** JSON text, or a value to be written as such → its faults. */
export function faultsOf(schema: unknown, body: unknown, options: SchemaOptions = {}): readonly Fault[] {
  return compiledOf(schema, options).validator.judge(read(body)) ?? [];
}

/** `pointer keyword` of each fault. */
export function seenIn(schema: unknown, body: unknown, options: SchemaOptions = {}): readonly string[] {
  return faultsOf(schema, body, options).map(({ pointer, keyword }) => `${pointer} ${keyword}`);
}

export function read(body: unknown): unknown {
  const parsed = parseJson(Buffer.from(typeof body === "string" ? body : JSON.stringify(body)));
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}
