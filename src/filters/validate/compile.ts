import { FORM_TYPE, isForm, isJson } from "../../bodies/media-type.ts";
import type { CompiledSchema } from "../../schema/compile.ts";
import type { Cost } from "../../schema/cost.ts";
import type { SchemaPlace, SchemaProblem } from "../../schema/document.ts";
import { textTypesOf } from "../../schema/questions/texts.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { Steps } from "../../support/turns.ts";
import { defineFilter, type RouteContext } from "../filter.ts";
import { type BodyReader, eitherReader, formFault, formReader, readJson } from "./body-reader.ts";
import { compileParameters } from "./compile-parameters.ts";
import { compileBodySchema, compileParameterSchema } from "./engine.ts";
import {
  describeRequest,
  inOrder,
  judgeAnnouncedLength,
  judgeBody,
  judgeContentEncoding,
  judgeContentType,
} from "./evaluate.ts";
import type { CompiledForm } from "./form/compile.ts";
import type { HoldRules, Part } from "./held-body.ts";
import { compileLanguage, LANGUAGE_PARTS, LANGUAGE_TYPES, languageOf } from "./languages.ts";
import { LongBodies } from "./long-bodies.ts";
import { FORM, INFLATE } from "./parts.ts";
import { type ValidateSettings, validateSchema } from "./schema.ts";

/** One line for all routes and policies. */
const longBodies = new LongBodies();

/** `validate`: whether parameters, headers and body have the form that the policy says. */
export const validateFilter = defineFilter<ValidateSettings>({
  name: "validate",
  defaults: "override",
  schema: validateSchema,
  parts: { ...LANGUAGE_PARTS, form: FORM.prepare, contentEncoding: INFLATE.prepare },
  *compile(settings, context) {
    const enforcePercent = settings.mode ?? 100;
    const form = compileFormPart(settings, enforcePercent, context);
    const parts = [
      ...compileParameters(settings, context, compileParameterSchema),
      ...compileHead(settings, form, context),
    ];
    const body = form === null ? yield* compileBody(settings, enforcePercent, context) : form.judge;
    if (parts.length === 0 && body === null) {
      const expected = "contentType, body, form, graphql, jsonrpc, xml, path, query, queryString, headers or cookies";
      context.problem(`nothing is validated; expected ${expected}`);
      return;
    }
    context.addCheck({
      name: "validate",
      phase: "validate",
      place: context.place(),
      enforcePercent,
      evaluate: inOrder(parts, body),
      ...(form === null ? {} : { watch: form.watch }),
      explain: describeRequest,
    });
  },
});

const BODY_SCHEMA = ["body", "schema"] as const;

type SyncParts = Parameters<typeof inOrder>[0];

function compileFormPart(
  settings: ValidateSettings,
  enforcePercent: number,
  context: RouteContext,
): CompiledForm | null {
  const { form, body, contentType, errors } = settings;
  if (form === undefined) return null;
  const other = body === undefined ? languageOf(settings) : "body";
  if (other !== null) {
    context.problem(`both '${other}' and 'form'; expected one of them ('form' has maxBytes, too)`, other);
    return null;
  }
  const options = { contentType, enforcePercent, showsErrors: errors !== "hidden", longBodies };
  return FORM.get().compileForm(form, options, context);
}

/** What the head alone shows of a body. */
function compileHead(settings: ValidateSettings, form: CompiledForm | null, context: RouteContext): SyncParts {
  if (form !== null) {
    return [
      judgeContentType(form.types, context.place(settings.contentType === undefined ? "form" : "contentType")),
      judgeAnnouncedLength(form.bytesMax, context.place("form", "maxBytes")),
      compileEncoding(settings, ["form"], context),
    ];
  }
  const parts: SyncParts[number][] = [];
  const { contentType, body } = settings;
  const language = languageOf(settings);
  const judge = language === null ? (["body", "schema"] as const) : ([language] as const);
  if (contentType !== undefined) parts.push(judgeContentType(contentType, context.place("contentType")));
  else if (language !== null) parts.push(judgeContentType(LANGUAGE_TYPES[language], context.place(language)));
  else if (body?.schema !== undefined) parts.push(judgeContentType(["application/json"], context.place(...judge)));
  const bytesMax = bodyBytesMax(settings);
  if (bytesMax !== null) {
    const place = body?.maxBytes === undefined ? context.place(...judge) : context.place("body", "maxBytes");
    parts.push(judgeAnnouncedLength(bytesMax, place));
  }
  if (body?.schema !== undefined || language !== null) parts.push(compileEncoding(settings, judge, context));
  else if (settings.contentEncoding === "inflate")
    context.problem("nothing looks into bodies; expected 'body.schema' or 'form'", "contentEncoding");
  return parts;
}

/** Behind all that the head alone shows, for it gives the request another body. `judge`: who looks into it. */
function compileEncoding(
  { contentEncoding, maxInflation }: ValidateSettings,
  judge: readonly string[],
  context: RouteContext,
): SyncParts[number] {
  const place = context.place(...(contentEncoding === undefined ? judge : ["contentEncoding"]));
  if (contentEncoding !== "inflate") return judgeContentEncoding(place);
  return INFLATE.get().inflateBody(place, maxInflation ?? DEFAULTS.inflationMax, context.memory.bodies);
}

function bodyBytesMax(settings: ValidateSettings): number | null {
  const { body } = settings;
  if (body?.maxBytes !== undefined) return body.maxBytes;
  return body?.schema === undefined && languageOf(settings) === null ? null : DEFAULTS.bodyInspectedBytesMax;
}

function* compileBody(settings: ValidateSettings, enforcePercent: number, context: RouteContext): Steps<Part | null> {
  const bytesMax = bodyBytesMax(settings);
  if (bytesMax === null) return null;
  // A bound that is only tried out must not cut bodies off.
  if (enforcePercent === 100) context.setBodyBytesMax(bytesMax);
  const name = settings.body?.schema;
  const language = languageOf(settings);
  if (name === undefined && language === null) return null;
  if (bytesMax > DEFAULTS.bodiesInspectedBytesMax) {
    const most = `${DEFAULTS.bodiesInspectedBytesMax / 1024 ** 2}MiB`;
    context.problem(`bodies are held in memory to be looked into; expected at most ${most}`, "body", "maxBytes");
    return null;
  }
  const collectedBytesMax = enforcePercent === 100 ? bytesMax : Math.max(bytesMax, DEFAULTS.bodyBytesMax);
  const held = { bytesMax, collectedBytesMax, bodies: context.memory.bodies, longBodies, clock: context.clock };
  if (language !== null) {
    const compileSchemaAt = (file: string, ...path: readonly string[]): CompiledSchema | null =>
      compileSchemaFile(file, settings, context, path);
    return yield* compileLanguage(language, settings, held, context, compileSchemaAt);
  }
  return name === undefined ? null : compileSchema(name, settings, held, context);
}

function compileSchema(
  name: string,
  settings: ValidateSettings,
  held: Omit<HoldRules, "place">,
  context: RouteContext,
): Part | null {
  settings.contentType?.forEach((type, at) => {
    if (!isJson(type) && !isForm(type))
      context.problem(`the schema cannot look into '${type}'; expected a JSON type or ${FORM_TYPE}`, "contentType", at);
  });
  const compiled = compileSchemaFile(name, settings, context);
  if (compiled === null) return null;
  const read = readerOf(settings.contentType ?? [], compiled, context);
  return judgeBody({
    ...held,
    keepsValue: context.isBodyWanted(),
    required: settings.body?.required ?? true,
    read,
    validator: compiled.validator,
    recogniser: read === readJson ? compiled.recogniser : null,
    showsErrors: settings.errors !== "hidden",
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

/** Of `body.schema`, or of another key that names a schema. */
function compileSchemaFile(
  name: string,
  settings: ValidateSettings,
  context: RouteContext,
  path: readonly string[] = BODY_SCHEMA,
): CompiledSchema | null {
  const { body } = settings;
  const hash = name.indexOf("#");
  if (hash >= 0) return compileDescribed(name.slice(0, hash), name.slice(hash + 1), settings, context, path);
  const bytes = context.readFile(name, ...path);
  if (bytes === null) return null;
  if (bytes.length > DEFAULTS.schemaBytesMax) {
    const text = `'${name}' has ${bytes.length} bytes; expected at most ${DEFAULTS.schemaBytesMax}`;
    context.problem(text, ...path);
    return null;
  }
  const options = { dialect: body?.dialect ?? "2020-12", refusesOtherCase: body?.members !== "caseSensitive" } as const;
  const compiled = compileBodySchema(name, bytes, options, (file) => context.readFile(file, ...path));
  if (!compiled.ok) {
    for (const problem of compiled.error.slice(0, DEFAULTS.fileProblemsMax))
      reportProblem(name, problem, context, path);
    return null;
  }
  checkCost(name, compiled.value.cost, bodyBytesMax(settings) ?? 0, context, path);
  const contradiction = compiled.value.contradiction();
  if (contradiction !== null) context.warning(`'${name}': no body can fit: ${contradiction}`, ...path);
  const [first] = compiled.value.unenforced;
  if (first !== undefined) {
    const words = [...compiled.value.unenforced.keys()].slice(0, UNENFORCED_SHOWN_MAX).join(", ");
    const text = `'${name}': not enforced: ${words} (first ${placeText(first[1])})`;
    context.warning(text, ...path);
  }
  return compiled.value;
}

/** A part of an API's description, whose own words on what it does not enforce are told with the whole of it. */
function compileDescribed(
  file: string,
  pointer: string,
  settings: ValidateSettings,
  context: RouteContext,
  path: readonly string[],
): CompiledSchema | null {
  const found = context.described(file, pointer);
  if (found === null) {
    const text = `there is no schema '${file}#${pointer}'; expected one of a document of section 'openapi'`;
    context.problem(text, ...path);
    return null;
  }
  const compiled = found.library.compile(found.reference, settings.body?.members !== "caseSensitive");
  if (!compiled.ok) {
    for (const problem of compiled.error.slice(0, DEFAULTS.fileProblemsMax))
      reportProblem(file, problem, context, path);
    return null;
  }
  checkCost(file, compiled.value.cost, bodyBytesMax(settings) ?? 0, context, path);
  return compiled.value;
}

/** What the longest body would take at worst: a warning where that is seconds, a problem where it is minutes. */
function checkCost(
  name: string,
  { judgementsMax, dearest }: Cost,
  bytesMax: number,
  context: RouteContext,
  path: readonly string[],
): void {
  const bytes = bytesMax * judgementsMax;
  if (dearest === null || bytes <= DEFAULTS.schemaWorkWarnedBytes) return;
  const { place, what, mend } = dearest;
  const text =
    `'${name}': each part of a body may be judged ${judgementsMax} times (${what} ${placeText(place)}), ` +
    `so that ${bytesMax} bytes may take ${Math.ceil(bytes * SECONDS_PER_BYTE)} s; ${mend}, or lower body.maxBytes`;
  if (bytes > DEFAULTS.schemaWorkBytesMax) context.problem(text, ...path);
  else context.warning(text, ...path);
}

/** Of a core, for one judgement of what a byte of dense JSON stands for: measured, the dearest of `bench:schema`. */
const SECONDS_PER_BYTE = 100e-9;
const UNENFORCED_SHOWN_MAX = 20;

function placeText(place: SchemaPlace | null): string {
  return place === null ? "in the schema" : `at ${place.file}:${place.line}:${place.column}`;
}

/** At its line in the schema's file; the policy's own line where it has none. */
function reportProblem(
  name: string,
  { place, pointer, text }: SchemaProblem,
  context: RouteContext,
  path: readonly string[],
): void {
  if (place === null) context.problem(`'${name}': ${text}`, ...path);
  else context.problemAt({ ...place, path: pointer }, text);
}
