import { FORM_TYPE, isForm, isJson } from "../../bodies/media-type.ts";
import type { CompiledSchema } from "../../schema/compile.ts";
import type { Cost } from "../../schema/cost.ts";
import type { SchemaPlace, SchemaProblem } from "../../schema/document.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { nearest } from "../../support/schema.ts";
import { defineFilter, type RouteContext } from "../filter.ts";
import { type BodyReader, eitherReader, formFieldsOf, formReader, readJson } from "./body-reader.ts";
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
import { judgeHeaders, judgePath, judgeQuery } from "./parameter-parts.ts";
import type { Parameter } from "./parameters.ts";
import { type ParameterSettings, type ParameterType, type ValidateSettings, validateSchema } from "./schema.ts";

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
    const parts = [...compileParameters(settings, context), ...compileHead(settings, context)];
    const body = compileBody(settings, enforcePercent, context);
    if (parts.length === 0 && body === null) {
      context.problem("nothing is validated; expected contentType, body, path, query or headers");
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

function compileParameters(settings: ValidateSettings, context: RouteContext): SyncParts {
  const parts: SyncParts[number][] = [];
  const showsErrors = settings.errors !== "hidden";
  if (settings.path !== undefined) {
    const names = [...context.template.matchAll(/\{([^}]+)\}/g)].map((match) => match[1] ?? "");
    for (const name of Object.keys(settings.path)) {
      if (names.includes(name)) continue;
      const near = nearest(name, names);
      const known = names.length === 0 ? "it has none" : `expected one of: ${names.join(", ")}`;
      const hint = near === undefined ? known : `did you mean '${near}'?`;
      context.problem(`the route's path has no parameter '${name}'; ${hint}`, "path", name);
    }
    const path = compileEach(settings.path, "path", context).map((one) => ({ ...one, required: true }));
    parts.push(judgePath({ parameters: path, showsErrors, place: context.place("path") }, names));
  }
  if (settings.query !== undefined || settings.unknownQuery === "refuse") {
    const key = settings.query === undefined ? "unknownQuery" : "query";
    const query = compileEach(settings.query ?? {}, "query", context);
    const rules = { parameters: query, showsErrors, place: context.place(key) };
    parts.push(judgeQuery(rules, settings.unknownQuery === "refuse", context.credentialParameters));
  }
  if (settings.headers !== undefined) {
    context.declareHeaders(Object.keys(settings.headers));
    const parameters = compileEach(settings.headers, "headers", context);
    parts.push(judgeHeaders({ parameters, showsErrors, place: context.place("headers") }));
  }
  return parts;
}

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
  const read = readerOf(settings.contentType ?? [], compiled.schema, context);
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

function readerOf(types: readonly string[], schema: unknown, context: RouteContext): BodyReader {
  if (!types.some(isForm)) return readJson;
  const fields = formFieldsOf(schema);
  if (!fields.ok) context.problem(fields.error, "body", "schema");
  const form = formReader(fields.ok ? fields.value : []);
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

function compileEach(
  settings: Readonly<Record<string, ParameterSettings>>,
  section: "path" | "query" | "headers",
  context: RouteContext,
): Parameter[] {
  return Object.entries(settings).flatMap(([name, { required, ...schema }]) => {
    const compiled = schemaEngine().compileParameterSchema({ type: "string", ...schema });
    if (!compiled.ok) {
      for (const { text, pointer } of compiled.error) context.problem(text, section, name, ...pointerPath(pointer));
      return [];
    }
    const itemType = itemTypeOf(schema.items);
    if (itemType === null) {
      context.problem("expected items of type string, integer, number or boolean", section, name, "items");
      return [];
    }
    const own = context.place(section, name);
    const places = new Map(
      Object.keys(settings[name] ?? {}).map((keyword) => [keyword, context.place(section, name, keyword)]),
    );
    return [
      {
        name,
        required: required ?? false,
        type: schema.type ?? "string",
        itemType,
        validate: compiled.value,
        placeOf: (keyword) => places.get(keyword) ?? own,
      },
    ];
  });
}

/** A JSON Pointer (RFC 6901) as a path in the policy. */
function pointerPath(pointer: string): readonly (string | number)[] {
  return pointer
    .split("/")
    .slice(1)
    .map((token) => (/^\d+$/.test(token) ? Number(token) : token.replaceAll("~1", "/").replaceAll("~0", "~")));
}

const ITEM_TYPES: readonly unknown[] = ["string", "integer", "number", "boolean"] satisfies ParameterType[];

function itemTypeOf(items: unknown): ParameterType | null {
  if (typeof items !== "object" || items === null || !("type" in items)) return "string";
  return isItemType(items.type) ? items.type : null;
}

function isItemType(type: unknown): type is ParameterType {
  return ITEM_TYPES.includes(type);
}

function schemaEngine(): NonNullable<typeof engine> {
  if (engine === null) throw new Error("validateFilter.prepare() must have been awaited before compile()");
  return engine;
}
