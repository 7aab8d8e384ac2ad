import { FORM_TYPE, isForm, isJson } from "../../bodies/media-type.ts";
import type { CompiledSchema } from "../../schema/compile.ts";
import type { Cost } from "../../schema/cost.ts";
import type { SchemaPlace, SchemaProblem } from "../../schema/document.ts";
import { textTypesOf } from "../../schema/questions/texts.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { defineFilter, type RouteContext } from "../filter.ts";
import { type BodyReader, eitherReader, formFault, formReader, readJson } from "./body-reader.ts";
import { compileParameters } from "./compile-parameters.ts";
import {
  describeRequest,
  inOrder,
  judgeAnnouncedLength,
  judgeBody,
  judgeContentEncoding,
  judgeContentType,
  type Part,
} from "./evaluate.ts";
import { LongBodies } from "./long-bodies.ts";
import { type ValidateSettings, validateSchema } from "./schema.ts";

/** Only policies that validate load what it takes. */
let engine: typeof import("./engine.ts") | null = null;

/** One line for all routes and policies. */
const longBodies = new LongBodies();

/** `validate`: whether parameters, headers and body have the form that the policy says. */
export const validateFilter = defineFilter<ValidateSettings>({
  name: "validate",
  defaults: "override",
  schema: validateSchema,
  async prepare() {
    engine = await import("./engine.ts");
  },
  compile(settings, context) {
    const enforcePercent = settings.mode ?? 100;
    const parts = [
      ...compileParameters(settings, context, schemaEngine().compileParameterSchema),
      ...compileHead(settings, context),
    ];
    const body = compileBody(settings, enforcePercent, context);
    if (parts.length === 0 && body === null) {
      context.problem("nothing is validated; expected contentType, body, path, query, queryString, headers or cookies");
      return;
    }
    context.addCheck({
      name: "validate",
      phase: "validate",
      place: context.place(),
      enforcePercent,
      evaluate: inOrder(parts, body),
      explain: describeRequest,
    });
  },
});

type SyncParts = Parameters<typeof inOrder>[0];

/** What the head alone shows of a body. */
function compileHead(settings: ValidateSettings, context: RouteContext): SyncParts {
  const parts: SyncParts[number][] = [];
  const { contentType, body } = settings;
  if (contentType !== undefined) parts.push(judgeContentType(contentType, context.place("contentType")));
  else if (body?.schema !== undefined)
    parts.push(judgeContentType(["application/json"], context.place("body", "schema")));
  if (body?.schema !== undefined) parts.push(judgeContentEncoding(context.place("body", "schema")));
  const bytesMax = bodyBytesMax(settings);
  if (bytesMax !== null) {
    const key = body?.maxBytes === undefined ? "schema" : "maxBytes";
    parts.push(judgeAnnouncedLength(bytesMax, context.place("body", key)));
  }
  return parts;
}

function bodyBytesMax({ body }: ValidateSettings): number | null {
  if (body?.maxBytes !== undefined) return body.maxBytes;
  return body?.schema === undefined ? null : DEFAULTS.bodyInspectedBytesMax;
}

function compileBody(settings: ValidateSettings, enforcePercent: number, context: RouteContext): Part | null {
  const bytesMax = bodyBytesMax(settings);
  if (bytesMax === null) return null;
  // A bound that is only tried out must not cut bodies off.
  if (enforcePercent === 100) context.setBodyBytesMax(bytesMax);
  const name = settings.body?.schema;
  if (name === undefined) return null;
  settings.contentType?.forEach((type, at) => {
    if (!isJson(type) && !isForm(type))
      context.problem(`the schema cannot look into '${type}'; expected a JSON type or ${FORM_TYPE}`, "contentType", at);
  });
  if (bytesMax > DEFAULTS.bodiesInspectedBytesMax) {
    const most = `${DEFAULTS.bodiesInspectedBytesMax / 1024 ** 2}MiB`;
    context.problem(`bodies are held in memory for a schema; expected at most ${most}`, "body", "maxBytes");
    return null;
  }
  const compiled = compileSchemaFile(name, settings, context);
  if (compiled === null) return null;
  const read = readerOf(settings.contentType ?? [], compiled, context);
  const collectedBytesMax = enforcePercent === 100 ? bytesMax : Math.max(bytesMax, DEFAULTS.bodyBytesMax);
  return judgeBody({
    keepsValue: context.isBodyWanted(),
    bytesMax,
    required: settings.body?.required ?? true,
    collectedBytesMax,
    read,
    validator: compiled.validator,
    recogniser: read === readJson ? compiled.recogniser : null,
    showsErrors: settings.errors !== "hidden",
    bodies: context.memory.bodies,
    longBodies,
    clock: context.clock,
    place: context.place("body", "schema"),
  });
}

function readerOf(types: readonly string[], { root }: CompiledSchema, context: RouteContext): BodyReader {
  if (!types.some(isForm)) return readJson;
  const fields = textTypesOf([root]);
  const fault = formFault(fields);
  if (fault !== null) context.problem(fault, "body", "schema");
  const form = formReader(fields);
  return types.every(isForm) ? form : eitherReader(form);
}

function compileSchemaFile(name: string, settings: ValidateSettings, context: RouteContext): CompiledSchema | null {
  const { body } = settings;
  const hash = name.indexOf("#");
  if (hash >= 0) return compileDescribed(name.slice(0, hash), name.slice(hash + 1), settings, context);
  const bytes = context.readFile(name, "body", "schema");
  if (bytes === null) return null;
  if (bytes.length > DEFAULTS.schemaBytesMax) {
    const text = `'${name}' has ${bytes.length} bytes; expected at most ${DEFAULTS.schemaBytesMax}`;
    context.problem(text, "body", "schema");
    return null;
  }
  const options = { dialect: body?.dialect ?? "2020-12", refusesOtherCase: body?.members !== "caseSensitive" } as const;
  const compiled = schemaEngine().compileBodySchema(name, bytes, options, (file) =>
    context.readFile(file, "body", "schema"),
  );
  if (!compiled.ok) {
    for (const problem of compiled.error.slice(0, DEFAULTS.fileProblemsMax)) reportProblem(name, problem, context);
    return null;
  }
  checkCost(name, compiled.value.cost, bodyBytesMax(settings) ?? 0, context);
  const contradiction = compiled.value.contradiction();
  if (contradiction !== null) context.warning(`'${name}': no body can fit: ${contradiction}`, "body", "schema");
  const [first] = compiled.value.unenforced;
  if (first !== undefined) {
    const words = [...compiled.value.unenforced.keys()].slice(0, UNENFORCED_SHOWN_MAX).join(", ");
    const text = `'${name}': not enforced: ${words} (first ${placeText(first[1])})`;
    context.warning(text, "body", "schema");
  }
  return compiled.value;
}

/** A part of an API's description, whose own words on what it does not enforce are told with the whole of it. */
function compileDescribed(
  file: string,
  pointer: string,
  settings: ValidateSettings,
  context: RouteContext,
): CompiledSchema | null {
  const found = context.described(file, pointer);
  if (found === null) {
    const text = `there is no schema '${file}#${pointer}'; expected one of a document of section 'openapi'`;
    context.problem(text, "body", "schema");
    return null;
  }
  const compiled = found.library.compile(found.reference, settings.body?.members !== "caseSensitive");
  if (!compiled.ok) {
    for (const problem of compiled.error.slice(0, DEFAULTS.fileProblemsMax)) reportProblem(file, problem, context);
    return null;
  }
  checkCost(file, compiled.value.cost, bodyBytesMax(settings) ?? 0, context);
  return compiled.value;
}

/** What the longest body would take at worst: a warning where that is seconds, a problem where it is minutes. */
function checkCost(name: string, { judgementsMax, dearest }: Cost, bytesMax: number, context: RouteContext): void {
  const bytes = bytesMax * judgementsMax;
  if (dearest === null || bytes <= DEFAULTS.schemaWorkWarnedBytes) return;
  const { place, what, mend } = dearest;
  const text =
    `'${name}': each part of a body may be judged ${judgementsMax} times (${what} ${placeText(place)}), ` +
    `so that ${bytesMax} bytes may take ${Math.ceil(bytes * SECONDS_PER_BYTE)} s; ${mend}, or lower body.maxBytes`;
  if (bytes > DEFAULTS.schemaWorkBytesMax) context.problem(text, "body", "schema");
  else context.warning(text, "body", "schema");
}

/** Of a core, for one judgement of what a byte of dense JSON stands for: measured, the dearest of `bench:schema`. */
const SECONDS_PER_BYTE = 100e-9;
const UNENFORCED_SHOWN_MAX = 20;

function placeText(place: SchemaPlace | null): string {
  return place === null ? "in the schema" : `at ${place.file}:${place.line}:${place.column}`;
}

/** At its line in the schema's file; the policy's own line where it has none. */
function reportProblem(name: string, { place, pointer, text }: SchemaProblem, context: RouteContext): void {
  if (place === null) context.problem(`'${name}': ${text}`, "body", "schema");
  else context.problemAt({ ...place, path: pointer }, text);
}

function schemaEngine(): NonNullable<typeof engine> {
  if (engine === null) throw new Error("validateFilter.prepare() must have been awaited before compile()");
  return engine;
}
