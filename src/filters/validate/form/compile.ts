import { FORM_TYPE, hasNamedParts, isForm, MULTIPART_TYPE } from "../../../bodies/media-type.ts";
import { DeclaredNames } from "../../../bodies/names.ts";
import type { Shape } from "../../../bodies/parameter-styles.ts";
import type { BodyWatch } from "../../../message/body-watch.ts";
import type { Exchange } from "../../../message/exchange.ts";
import type { CompiledSchema } from "../../../schema/compile.ts";
import { type TextTypes, textTypesOf } from "../../../schema/questions/texts.ts";
import { TYPE } from "../../../schema/subschema.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import type { RouteContext } from "../../filter.ts";
import { pointerPath, shapeOf } from "../compile-parameters.ts";
import { compileParameterSchema } from "../engine.ts";
import type { Part } from "../held-body.ts";
import type { LongBodies } from "../long-bodies.ts";
import type { Parameter } from "../parameters.ts";
import { compilePartHeaders } from "../part-headers.ts";
import { judgeForm, watchForm } from "./evaluate.ts";
import type { FieldRule, FileRule, FormRules, WholeRule } from "./rules.ts";
import type { FieldSettings, FileSettings, FormSettings } from "./schema.ts";

/** What the rest of `validate` says. */
export interface FormOptions {
  readonly contentType: readonly string[] | undefined;
  readonly enforcePercent: number;
  readonly showsErrors: boolean;
  readonly longBodies: LongBodies;
  /** A schema by its name, at a path; null, with a problem, where it is none. */
  compileSchema(name: string, bytesMax: number, ...path: readonly string[]): CompiledSchema | null;
}

export interface CompiledForm {
  /** Types that the body may have. */
  readonly types: readonly string[];
  readonly bytesMax: number;
  readonly judge: Part;
  watch(exchange: Exchange): BodyWatch | null;
}

/** `validate.form`. */
export function compileForm(settings: FormSettings, options: FormOptions, context: RouteContext): CompiledForm {
  const { fields = {}, files = {} } = settings;
  const types = options.contentType ?? (Object.keys(files).length > 0 ? [MULTIPART_TYPE] : [MULTIPART_TYPE, FORM_TYPE]);
  types.forEach((type, at) => {
    if (!isForm(type) && !hasNamedParts(type))
      context.problem(`'${type}' is no form; expected ${MULTIPART_TYPE} or ${FORM_TYPE}`, "contentType", at);
  });
  for (const name of Object.keys(files)) {
    if (Object.hasOwn(fields, name))
      context.problem(`'${name}' is a field, too; expected one of them`, "form", "files", name);
  }
  if (!types.some(hasNamedParts) && Object.keys(files).length > 0)
    context.problem(`files come in ${MULTIPART_TYPE} alone`, "form", "files");
  const rules = rulesOf(settings, options, context);
  // A bound that is only tried out must not cut bodies off.
  if (options.enforcePercent === 100) context.setBodyBytesMax(rules.bytesMax);
  return { types, bytesMax: rules.bytesMax, judge: judgeForm(rules), watch: (exchange) => watchForm(exchange, rules) };
}

function rulesOf(settings: FormSettings, options: FormOptions, context: RouteContext): FormRules {
  const { fields = {}, files = {}, buffer = false, maxBytes = DEFAULTS.bodyBytesMax } = settings;
  const fieldBytesMax = settings.maxFieldBytes ?? DEFAULTS.formFieldBytesMax;
  if (fieldBytesMax > DEFAULTS.formFieldBytesLimit) {
    const most = `${DEFAULTS.formFieldBytesLimit / 1024 ** 2}MiB`;
    context.problem(`fields are held in memory; expected at most ${most}`, "form", "maxFieldBytes");
  }
  const fieldsBytesMax = settings.maxFieldsBytes ?? DEFAULTS.formFieldsBytesMax;
  for (const [key, bytes] of [
    ["maxFieldsBytes", fieldsBytesMax],
    ["maxBytes", buffer ? maxBytes : 0],
  ] as const) {
    if (bytes <= DEFAULTS.bodiesInspectedBytesMax) continue;
    const most = `${DEFAULTS.bodiesInspectedBytesMax / 1024 ** 2}MiB`;
    context.problem(`that is held in memory; expected at most ${most}`, "form", key);
  }
  const place = context.place("form");
  const rules = new Map(
    Object.entries(fields).flatMap(([name, field]) => {
      const rule = fieldRule(name, field, fieldBytesMax, options, context);
      return rule === null ? [] : [[name, rule] as const];
    }),
  );
  const deep = [...rules].flatMap(([name, { way }]) => (way === "deep" ? [name] : []));
  const plain = [...Object.keys(fields), ...Object.keys(files)].filter((name) => !deep.includes(name));
  return {
    fields: rules,
    files: new Map(Object.entries(files).map(([name, file]) => [name, fileRule(name, file, maxBytes, context)])),
    declared: new DeclaredNames(plain, [], deep),
    isDelimited: [...rules.values()].some(({ way }) => way === "delimited"),
    whole: wholeRule(settings, options, fieldsBytesMax, context),
    refusesUndeclared: settings.undeclared !== "ignore",
    bytesMax: maxBytes,
    collectedBytesMax: options.enforcePercent === 100 ? maxBytes : Math.max(maxBytes, DEFAULTS.bodyBytesMax),
    partsMax: settings.maxParts ?? DEFAULTS.formPartsMax,
    fieldBytesMax,
    fieldsBytesMax,
    isBuffered: buffer,
    showsErrors: options.showsErrors,
    bodies: context.memory.bodies,
    longBodies: options.longBodies,
    clock: context.clock,
    place,
    placeOf: placesOf(settings, place, context, "form"),
  };
}

function wholeRule(
  settings: FormSettings,
  { compileSchema }: FormOptions,
  bytesMax: number,
  context: RouteContext,
): WholeRule | null {
  const compiled = settings.schema === undefined ? null : compileSchema(settings.schema, bytesMax, "form", "schema");
  if (compiled === null) return null;
  const placeOf = placesOf(settings, context.place("form", "schema"), context, "form");
  return { types: textTypesOf([compiled.root]), validator: compiled.validator, placeOf };
}

/** Null, with a problem, where its schema is wrong. An object is JSON, and so is each of a list of them. */
function fieldRule(
  name: string,
  settings: FieldSettings,
  bytesMax: number,
  options: FormOptions,
  context: RouteContext,
): FieldRule | null {
  const { required, blob, style, headers, ...words } = settings;
  const compiled = compileFieldSchema(name, settings, bytesMax, options, context);
  if (compiled === null) return null;
  const { root, validator } = compiled;
  const types = textTypesOf([root]);
  const shape = shapeOf(types, "form");
  if (options.enforcePercent === 100 && shape === "primitive") context.promise({ where: "form", name, schema: root });
  const way = wayOf(name, settings, shape, context);
  const isList = shape === "array" && way === "plain";
  const isJson = way === "plain" && (shape === "object" || (isList && isObject(types.item(0))));
  const own = isJson && !isList ? "primitive" : shape;
  const parameter: Parameter = {
    name,
    required: required === true,
    takesEmpty: false,
    styled: { name, style: style ?? "form", explode: isList, shape: own, properties: types.names },
    isJson,
    isNested: way === "deep",
    types,
    validate: (value) => validator.judge(value),
    placeOf: placesOf(settings, context.place("form", "fields", name), context, "form", "fields", name),
  };
  return {
    parameter,
    takesBlob: isJson && blob === "allow",
    isList,
    way,
    bytesMax: Math.min(bytesMax, isJson || way !== "plain" ? bytesMax : valueBytesMax(words)),
    validator,
    headers: compilePartHeaders(headers, context, "form", "fields", name),
  };
}

function isObject({ types }: TextTypes): boolean {
  return (types & TYPE.object) !== 0 && (types & ~(TYPE.object | TYPE.array | TYPE.null)) === 0;
}

function wayOf(name: string, { style }: FieldSettings, shape: Shape, context: RouteContext): FieldRule["way"] {
  if (style === undefined) return "plain";
  const isDeep = style === "deepObject";
  if (isDeep ? shape === "primitive" : shape !== "array") {
    const wanted = isDeep ? "type object or array" : "type array";
    context.problem(`style ${style} has no meaning here; expected ${wanted}`, "form", "fields", name, "style");
    return "plain";
  }
  return isDeep ? "deep" : "delimited";
}

/** The schema that stands there, or in an API's description. */
function compileFieldSchema(
  name: string,
  settings: FieldSettings,
  bytesMax: number,
  { compileSchema }: FormOptions,
  context: RouteContext,
): CompiledSchema | null {
  const {
    required,
    schema: apart,
    blob: _blob,
    style: _style,
    headers: _headers,
    ...words
  }: Readonly<Record<string, unknown>> = settings;
  if (typeof apart === "string" && apart.includes("#")) {
    for (const word of Object.keys(words))
      context.problem(`'${word}' stands beside 'schema'; expected it inside`, "form", "fields", name, word);
    return compileSchema(apart, bytesMax, "form", "fields", name, "schema");
  }
  const members = Array.isArray(required) ? { required } : {};
  const isTyped = ["type", "anyOf", "oneOf", "allOf"].some((word) => words[word] !== undefined);
  const own = apart === undefined ? words : { schema: apart, ...words };
  const compiled = compileParameterSchema(
    { ...(isTyped ? {} : { type: "string" }), ...own, ...members },
    context.ownText,
  );
  if (compiled.ok) return compiled.value;
  for (const { text, pointer } of compiled.error)
    context.problem(text, "form", "fields", name, ...pointerPath(pointer));
  return null;
}

function fileRule(name: string, settings: FileSettings, maxBytes: number, context: RouteContext): FileRule {
  const place = context.place("form", "files", name);
  return {
    name,
    required: settings.required ?? false,
    bytesMax: settings.maxBytes ?? maxBytes,
    countMax: settings.maxCount ?? 1,
    types: settings.types ?? null,
    extensions: settings.extensions ?? null,
    checksContent: settings.content !== "unchecked",
    headers: compilePartHeaders(settings.headers, context, "form", "files", name),
    placeOf: placesOf(settings, place, context, "form", "files", name),
  };
}

/** Places are looked up once: a denial takes none of the time of a document. */
function placesOf(settings: object, own: ReturnType<RouteContext["place"]>, context: RouteContext, ...path: string[]) {
  const places = new Map(Object.keys(settings).map((key) => [key, context.place(...path, key)]));
  return (keyword: string) => places.get(keyword) ?? own;
}

/** Bytes of the longest text that can fit: more need not be kept to be refused. */
function valueBytesMax({ type, items, maxLength }: Readonly<Record<string, unknown>>): number {
  const one = type === "array" ? items : { type, maxLength };
  if (typeof one !== "object" || one === null) return Number.POSITIVE_INFINITY;
  const isNumber = "type" in one && (one.type === "integer" || one.type === "number" || one.type === "boolean");
  if (isNumber) return DEFAULTS.jsonNumberCharsMax;
  const lengthMax = "maxLength" in one ? one.maxLength : undefined;
  return typeof lengthMax === "number" ? UTF8_BYTES_MAX * lengthMax : Number.POSITIVE_INFINITY;
}

/** Of one code point. */
const UTF8_BYTES_MAX = 4;
