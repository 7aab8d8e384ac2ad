import { isSpreadObject, type Shape, type Style } from "../../bodies/parameter-styles.ts";
import { segmentShape } from "../../bodies/segment-parts.ts";
import type { Place } from "../../decision/verdict.ts";
import type { CompiledSchema } from "../../schema/compile.ts";
import { type TextTypes, textTypesOf } from "../../schema/questions/texts.ts";
import { ALL_TYPES, TYPE } from "../../schema/subschema.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { nearest } from "../../support/schema.ts";
import type { RouteContext } from "../filter.ts";
import type { compileParameterSchema } from "./engine.ts";
import { plainCommas } from "./escaped-commas.ts";
import {
  judgeCookies,
  judgeHeaders,
  judgePath,
  judgeQuery,
  QueryNames,
  type SegmentRules,
  type SyncPart,
} from "./parameter-parts.ts";
import type { ParameterSettings, QueryStringSettings } from "./parameter-schema.ts";
import type { Parameter } from "./parameters.ts";
import { filledPair } from "./query-defaults.ts";
import { judgeQueryString } from "./query-string.ts";
import type { ValidateSettings } from "./schema.ts";

/** Sections of `validate` whose keys are names of parameters. */
export type Section = "path" | "query" | "headers" | "cookies";

/** Styles of each section (OpenAPI 3.2 section 4.12.3), the usual one first. */
const STYLES: Readonly<Record<Section, readonly Style[]>> = {
  path: ["simple", "label", "matrix"],
  query: ["form", "spaceDelimited", "pipeDelimited", "deepObject"],
  headers: ["simple"],
  cookies: ["form", "cookie"],
};

type CompileSchema = typeof compileParameterSchema;

/** What `validate` says of parameters, as parts of its check. */
export function compileParameters(
  settings: ValidateSettings,
  context: RouteContext,
  compileSchema: CompileSchema,
): readonly SyncPart[] {
  const parts: SyncPart[] = [];
  const showsErrors = settings.errors !== "hidden";
  const filled = new Map<string, string>();
  const fills = settings.queryDefaults === "fill";
  const compiled = (section: Section): Parameter[] =>
    Object.entries(settings[section] ?? {}).flatMap(([name, parameter]) => {
      if (parameter.segment !== undefined) return [];
      const one = compileOne(name, parameter, section, context, compileSchema);
      if (one === null) return [];
      describe(one, section, context);
      const where = promisedWhere(section, one.parameter.styled.style);
      if (where !== null && parameter.content === undefined && (settings.mode ?? 100) === 100)
        context.promise({ where, name: one.parameter.styled.name, schema: one.compiled.root });
      const pair = fills && section === "query" ? filledPair(one.parameter, one.compiled, context) : null;
      if (pair !== null) filled.set(name, pair);
      return [one.parameter];
    });
  if (settings.path !== undefined) {
    const names = [...context.template.matchAll(/\{([^}]+)\}/g)].map((match) => match[1] ?? "");
    checkNames(Object.keys(settings.path), names, context, ["path"]);
    const path = compiled("path").map((one) => ({ ...one, required: true }));
    const segments = compileSegments(settings.path, context, compileSchema);
    parts.push(judgePath({ parameters: path, showsErrors, place: context.place("path") }, names, segments));
  }
  if (settings.queryString !== undefined) {
    parts.push(judgeQueryString(compileQueryString(settings, context, compileSchema), showsErrors));
  } else if (settings.query !== undefined || (settings.unknownQuery ?? "allow") !== "allow") {
    const rules = {
      parameters: compiled("query"),
      showsErrors,
      place: context.place(settings.query === undefined ? "unknownQuery" : "query"),
    };
    parts.push(judgeQuery(rules, settings.unknownQuery === "refuse", context.credentialParameters));
    // What is only tried out changes nothing.
    const isEnforced = (settings.mode ?? 100) === 100;
    const plain = isEnforced ? plainCommas(rules.parameters) : null;
    if (plain !== null) context.plainParameters(plain);
    if (isEnforced && filled.size > 0) context.fillParameters(filled);
    if (isEnforced && settings.unknownQuery === "strip") {
      context.keepParameters(keeping(new QueryNames(rules.parameters)));
    }
  }
  if (settings.headers !== undefined) {
    context.declareHeaders(Object.keys(settings.headers));
    parts.push(judgeHeaders({ parameters: compiled("headers"), showsErrors, place: context.place("headers") }));
  }
  if (settings.cookies !== undefined)
    parts.push(judgeCookies({ parameters: compiled("cookies"), showsErrors, place: context.place("cookies") }));
  return parts;
}

function keeping(names: QueryNames): (name: string) => boolean {
  return (name) => !names.isUnknown(name);
}

/** Where a value stands as it is judged; null where a style puts something before it, or nobody asks. */
function promisedWhere(section: Section, style: Style): "path" | "query" | null {
  if (section === "query") return "query";
  return section === "path" && style === "simple" ? "path" : null;
}

/** For who makes requests of the route. */
function describe(
  { parameter, compiled }: { readonly parameter: Parameter; readonly compiled: CompiledSchema },
  where: Section,
  context: RouteContext,
): void {
  const { style: name, explode } = parameter.styled;
  const isRequired = parameter.required || where === "path";
  const style = parameter.isJson ? null : { name, explode };
  context.describePart({ where, name: parameter.name, isRequired, schema: compiled, style });
}

/** Headers alone, whoever sends them. */
export function compileHeaders(
  headers: Readonly<Record<string, ParameterSettings>>,
  context: RouteContext,
  compileSchema: CompileSchema,
): readonly Parameter[] {
  return Object.entries(headers).flatMap(
    ([name, settings]) => compileOne(name, settings, "headers", context, compileSchema)?.parameter ?? [],
  );
}

/** Segments that are made of several parameters, or of one and a text. */
function compileSegments(
  path: Readonly<Record<string, ParameterSettings>>,
  context: RouteContext,
  compileSchema: CompileSchema,
): readonly SegmentRules[] {
  return Object.entries(path).flatMap(([name, { segment, parameters = {}, ...others }]) => {
    const shape = segment === undefined ? null : segmentShape(segment);
    if (segment === undefined || shape === null) {
      if (Object.keys(parameters).length > 0)
        context.problem("'parameters' are those of 'segment'; expected it beside them", "path", name, "parameters");
      return [];
    }
    for (const word of Object.keys(others))
      context.problem(`'${word}' stands beside 'segment'; expected it in 'parameters'`, "path", name, word);
    const at = ["path", name, "parameters"];
    checkNames(Object.keys(parameters), shape.names, context, at);
    const found = new Map(
      Object.entries(parameters).flatMap(([inner, settings]) => {
        const one = compileOne(inner, settings, "path", context, compileSchema, [...at, inner]);
        return one === null ? [] : [[inner, { ...one.parameter, required: true }] as const];
      }),
    );
    const inOrder = shape.names.map((inner) => found.get(inner) ?? null);
    return [{ name, template: segment, shape, parameters: inOrder, place: context.place("path", name, "segment") }];
  });
}

function checkNames(
  wanted: readonly string[],
  names: readonly string[],
  context: RouteContext,
  at: readonly string[],
): void {
  for (const name of wanted) {
    if (names.includes(name)) continue;
    const near = nearest(name, names);
    const known = names.length === 0 ? "it has none" : `expected one of: ${names.join(", ")}`;
    const hint = near === undefined ? known : `did you mean '${near}'?`;
    const owner = at.length === 1 ? "the route's path" : "the segment";
    context.problem(`${owner} has no parameter '${name}'; ${hint}`, ...at, name);
  }
}

function compileOne(
  name: string,
  settings: ParameterSettings,
  section: Section,
  context: RouteContext,
  compileSchema: CompileSchema,
  at: readonly string[] = [section, name],
): { readonly parameter: Parameter; readonly compiled: CompiledSchema } | null {
  const { style, explode, allowEmptyValue, content } = settings;
  const compiled = compileInline(settings, content !== undefined, context, compileSchema, at);
  if (compiled === null) return null;
  const usual: Style = STYLES[section][0] ?? "simple";
  const types = textTypesOf([compiled.root]);
  const shape = content === undefined ? shapeOf(types, style ?? usual) : "primitive";
  checkStyle(section, at, settings, shape, types, context);
  const parameter: Parameter = {
    name,
    required: settings.required === true,
    takesEmpty: allowEmptyValue === true && section === "query",
    styled: {
      name: settings.name ?? name,
      style: style ?? usual,
      explode: content === undefined && (explode ?? ["form", "cookie", "deepObject"].includes(style ?? usual)),
      shape,
      properties: types.names,
    },
    isJson: content !== undefined,
    isNested: style === "deepObject" && hasInner(types, shape, false),
    types,
    validate: (value) => compiled.validator.judge(value),
    placeOf: placesOf(Object.keys(settings), context, at),
  };
  return { parameter, compiled };
}

/** Where keywords stand. No closure beside it knows the context: what judges would keep all that a policy was compiled with. */
function placesOf(
  keywords: readonly string[],
  context: RouteContext,
  at: readonly string[],
): (keyword: string) => Place {
  const own = context.place(...at);
  const places = new Map<string, Place>();
  for (const keyword of keywords) places.set(keyword, context.place(...at, keyword));
  return (keyword) => places.get(keyword) ?? own;
}

/** A schema that stands in the policy itself; text where it does not say otherwise. */
function compileInline(
  settings: ParameterSettings | QueryStringSettings,
  isAny: boolean,
  context: RouteContext,
  compileSchema: CompileSchema,
  path: readonly string[],
): CompiledSchema | null {
  const { schema: apart, required, style: _style, explode: _explode, content: _content, ...rest } = settings;
  const { allowEmptyValue: _allowEmptyValue, name: _name, ...words }: Readonly<Record<string, unknown>> = rest;
  for (const word of apart === undefined ? [] : Object.keys(words))
    context.problem(`'${word}' stands beside 'schema'; expected it inside`, ...path, word);
  if (typeof apart === "string") return compileReference(apart, context, path);
  const members = Array.isArray(required) ? { required } : {};
  const schema: Readonly<Record<string, unknown>> = apart ?? { ...words, ...members };
  const isTyped = isAny || ["type", "anyOf", "oneOf", "allOf"].some((word) => schema[word] !== undefined);
  const compiled = compileSchema(isTyped ? schema : { type: "string", ...schema }, context.ownText);
  if (compiled.ok) return compiled.value;
  for (const { text, pointer } of compiled.error) {
    context.problem(text, ...path, ...(apart === undefined ? [] : ["schema"]), ...pointerPath(pointer));
  }
  return null;
}

/** A part of an API's description, by `file#pointer`. */
export function compileReference(text: string, context: RouteContext, path: readonly string[]): CompiledSchema | null {
  const hash = text.indexOf("#");
  const found = context.described(text.slice(0, hash), text.slice(hash + 1));
  if (found === null) {
    context.problem(`there is no schema '${text}'; expected one of a document of section 'openapi'`, ...path, "schema");
    return null;
  }
  const compiled = found.library.compile(found.reference, true);
  if (compiled.ok) return compiled.value;
  for (const { place, pointer, text: fault } of compiled.error.slice(0, DEFAULTS.fileProblemsMax)) {
    if (place === null) context.problem(fault, ...path, "schema");
    else context.problemAt({ ...place, path: pointer }, fault);
  }
  return null;
}

/** What the text of a parameter is parted into. Text that may also be a list is read as one. */
export function shapeOf(of: TextTypes, style: Style): Shape {
  const { types } = of;
  if ((types & TYPE.object) !== 0 && (types & ~(TYPE.object | TYPE.null)) === 0) return "object";
  if (types !== ALL_TYPES) return (types & TYPE.array) === 0 ? "primitive" : "array";
  // Without a type it is what its other words speak of.
  return of.names.length > 0 || of.namesOthers || style === "deepObject" ? "object" : "primitive";
}

/** Whether it has items or members that no text is: objects, lists, but for those of `isSpread`, whose name comes once for each item. */
export function hasInner(types: TextTypes, shape: Shape, isSpread: boolean): boolean {
  const others = types.namesOthers ? [""] : [];
  const parts =
    shape === "object"
      ? [...types.names, ...others].map((member) => types.member(member))
      : shape === "array"
        ? [types.item(0)]
        : [];
  return parts.some((part) => {
    const isList = isSpread && (part.types & ~(TYPE.array | TYPE.null)) === 0;
    return isInner(isList ? part.item(0) : part);
  });
}

function isInner({ types }: TextTypes): boolean {
  return (types & ~(TYPE.array | TYPE.object | TYPE.null)) === 0;
}

function checkStyle(
  section: Section,
  at: readonly string[],
  { style, content, explode, name: writtenName }: ParameterSettings,
  shape: Shape,
  types: TextTypes,
  context: RouteContext,
): void {
  const problem = (text: string, key: string): void => context.problem(text, ...at, key);
  if (content !== undefined && (style !== undefined || explode !== undefined))
    problem("what 'content' says has no style; expected one of the two", style === undefined ? "explode" : "style");
  if (writtenName !== undefined && style !== "matrix")
    problem("'name' is what style matrix writes; expected that style", "name");
  const styles = STYLES[section];
  if (style !== undefined && !styles.includes(style))
    problem(`style ${style} has no meaning here; expected one of: ${styles.join(", ")}`, "style");
  else if (style === "deepObject" && shape === "primitive")
    problem("deepObject writes objects; expected type object", "style");
  if (content !== undefined) return;
  const isSpread = section === "query" && isSpreadObject({ style: style ?? "form", explode: explode !== false, shape });
  if (isSpread && types.names.length === 0 && !types.namesOthers)
    problem("its members are parameters of their own; expected 'properties'", "type");
  if (style !== "deepObject" && hasInner(types, shape, isSpread)) {
    const what = shape === "array" ? "items" : "members";
    problem(`expected ${what} of type string, integer, number or boolean`, shape === "array" ? "items" : "properties");
  }
}

const NO_SETTINGS: QueryStringSettings = {};

function compileQueryString(
  { queryString = NO_SETTINGS, query, unknownQuery }: ValidateSettings,
  context: RouteContext,
  compileSchema: CompileSchema,
): Parameters<typeof judgeQueryString>[0] {
  const other = query !== undefined ? "query" : unknownQuery !== undefined ? "unknownQuery" : null;
  if (other !== null)
    context.problem("'queryString' says what the query is as a whole; expected one of the two", other);
  const compiled = compileInline(queryString, true, context, compileSchema, ["queryString"]);
  return {
    isJson: queryString.content === "application/json",
    required: queryString.required === true,
    types: textTypesOf(compiled === null ? [] : [compiled.root]),
    validate: (value) => compiled?.validator.judge(value) ?? null,
    credentials: context.credentialParameters,
    placeOf: placesOf(Object.keys(queryString), context, ["queryString"]),
  };
}

/** A JSON Pointer (RFC 6901) as a path in the policy. */
export function pointerPath(pointer: string): readonly (string | number)[] {
  return pointer
    .split("/")
    .slice(1)
    .map((token) => (/^\d+$/.test(token) ? Number(token) : token.replaceAll("~1", "/").replaceAll("~0", "~")));
}
