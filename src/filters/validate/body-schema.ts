import type { CompiledSchema } from "../../schema/compile.ts";
import type { Cost } from "../../schema/cost.ts";
import type { SchemaPlace, SchemaProblem } from "../../schema/document.ts";
import type { RequestRules } from "../../schema/requests.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { RouteContext } from "../filter.ts";
import type { BodySchemaOptions, compileBodySchema } from "./engine.ts";
import type { ValidateSettings } from "./schema.ts";

export type CompileBodySchema = typeof compileBodySchema;

type Path = readonly (string | number)[];

/** A schema by the name of its file, or as `file#pointer` in a description; null, with problems at `path`, for none. */
export function compileSchemaAt(
  name: string,
  path: Path,
  settings: ValidateSettings,
  bytesMax: number,
  context: RouteContext,
  compileSchema: CompileBodySchema,
): CompiledSchema | null {
  const { body } = settings;
  const options = {
    dialect: body?.dialect ?? "2020-12",
    refusesOtherCase: body?.members !== "caseSensitive",
    view: requestsOf(settings),
  } as const;
  return compileNamedSchema(name, path, options, bytesMax, context, compileSchema);
}

/** The same of whatever side. */
export function compileNamedSchema(
  name: string,
  path: Path,
  options: BodySchemaOptions,
  bytesMax: number,
  context: RouteContext,
  compileSchema: CompileBodySchema,
): CompiledSchema | null {
  const hash = name.indexOf("#");
  if (hash >= 0) return compileDescribed(name.slice(0, hash), name.slice(hash + 1), path, options, bytesMax, context);
  const bytes = context.readFile(name, ...path);
  if (bytes === null) return null;
  if (bytes.length > DEFAULTS.schemaBytesMax) {
    const text = `'${name}' has ${bytes.length} bytes; expected at most ${DEFAULTS.schemaBytesMax}`;
    context.problem(text, ...path);
    return null;
  }
  const compiled = compileSchema(name, bytes, options, (file) => context.readFile(file, ...path));
  if (!compiled.ok) {
    for (const problem of compiled.error.slice(0, DEFAULTS.fileProblemsMax))
      reportProblem(name, problem, path, context);
    return null;
  }
  checkCost(name, compiled.value.cost, bytesMax, path, context);
  warnOfContradiction(name, compiled.value, path, context);
  const unenforced = [...compiled.value.unenforced].filter(([word]) => word !== "xml" || !path.includes("xml"));
  const [first] = unenforced;
  if (first !== undefined) {
    const words = unenforced
      .map(([word]) => word)
      .slice(0, UNENFORCED_SHOWN_MAX)
      .join(", ");
    const text = `'${name}': not enforced: ${words} (first ${placeText(first[1])})`;
    context.warning("description_not_enforced", text, ...path);
  }
  return compiled.value;
}

/** A part of an API's description, whose own words on what it does not enforce are told with the whole of it. */
function compileDescribed(
  file: string,
  pointer: string,
  path: Path,
  { refusesOtherCase, view }: BodySchemaOptions,
  bytesMax: number,
  context: RouteContext,
): CompiledSchema | null {
  const found = context.described(file, pointer);
  if (found === null) {
    const text = `there is no schema '${file}#${pointer}'; expected one of a document of section 'openapi'`;
    context.problem(text, ...path);
    return null;
  }
  const compiled = found.library.compile(found.reference, refusesOtherCase, view);
  if (!compiled.ok) {
    for (const problem of compiled.error.slice(0, DEFAULTS.fileProblemsMax))
      reportProblem(file, problem, path, context);
    return null;
  }
  checkCost(file, compiled.value.cost, bytesMax, path, context);
  warnOfContradiction(file, compiled.value, path, context);
  return compiled.value;
}

function warnOfContradiction(name: string, compiled: CompiledSchema, path: Path, context: RouteContext): void {
  const contradiction = compiled.contradiction();
  if (contradiction !== null) context.warning("schema_unmeetable", `'${name}': ${contradiction}`, ...path);
}

/** Null where nothing is asked that is of requests alone. */
function requestsOf({ body }: ValidateSettings): RequestRules | null {
  const { readOnly = "ignore", undeclared = "ignore", stripUnknown = false } = body ?? {};
  const isAsked = body?.readOnly !== undefined || body?.undeclared !== undefined || stripUnknown;
  if (!isAsked) return null;
  // Whatever comes off is refused by the schema that has the last word.
  return {
    readOnly: readOnly === "ignore" ? "ignore" : "refuse",
    undeclared: undeclared === "ignore" && !stripUnknown ? "ignore" : "refuse",
  };
}

/** What the longest body would take at worst: a warning where that is seconds, a problem where it is minutes. */
function checkCost(
  name: string,
  { judgementsMax, dearest }: Cost,
  bytesMax: number,
  path: Path,
  context: RouteContext,
): void {
  const bytes = bytesMax * judgementsMax;
  if (dearest === null || bytes <= DEFAULTS.schemaWorkWarnedBytes) return;
  const { place, what, mend } = dearest;
  const text =
    `'${name}': each part of a body may be judged ${judgementsMax} times (${what} ${placeText(place)}), ` +
    `so that ${bytesMax} bytes may take ${Math.ceil(bytes * SECONDS_PER_BYTE)} s; ${mend}, or lower body.maxBytes`;
  if (bytes > DEFAULTS.schemaWorkBytesMax) context.problem(text, ...path);
  else context.warning("schema_slow", text, ...path);
}

/** Of a core, for one judgement of what a byte of dense JSON stands for: measured, the dearest of `bench:schema`. */
const SECONDS_PER_BYTE = 100e-9;
const UNENFORCED_SHOWN_MAX = 20;

function placeText(place: SchemaPlace | null): string {
  return place === null ? "in the schema" : `at ${place.file}:${place.line}:${place.column}`;
}

/** At its line in the schema's file; the policy's own line where it has none. */
function reportProblem(name: string, { place, pointer, text }: SchemaProblem, path: Path, context: RouteContext): void {
  if (place === null) context.problem(`'${name}': ${text}`, ...path);
  else context.problemAt({ ...place, path: pointer }, text);
}
