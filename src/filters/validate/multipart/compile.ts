import { isJson, isText } from "../../../bodies/media-type.ts";
import type { BodyWatch } from "../../../message/body-watch.ts";
import type { Exchange } from "../../../message/exchange.ts";
import type { CompiledSchema } from "../../../schema/compile.ts";
import { textTypesOf } from "../../../schema/questions/texts.ts";
import { TYPE } from "../../../schema/subschema.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import type { RouteContext } from "../../filter.ts";
import type { Part } from "../held-body.ts";
import type { LongBodies } from "../long-bodies.ts";
import type { Parameter } from "../parameters.ts";
import { compilePartHeaders } from "../part-headers.ts";
import { judgeParts, watchParts } from "./evaluate.ts";
import type { PartRule, PartsRules } from "./rules.ts";
import type { PartSettings, PartsSettings } from "./schema.ts";

/** What the rest of `validate` says. */
export interface PartsOptions {
  readonly enforcePercent: number;
  readonly showsErrors: boolean;
  readonly longBodies: LongBodies;
  /** A schema by its name, at a path; null, with a problem, where it is none. */
  compileSchema(name: string, bytesMax: number, ...path: readonly (string | number)[]): CompiledSchema | null;
}

export interface CompiledParts {
  readonly bytesMax: number;
  readonly judge: Part;
  watch(exchange: Exchange): BodyWatch | null;
}

/** `validate.body.content.*.parts`. */
export function compileParts(settings: PartsSettings, options: PartsOptions, context: RouteContext): CompiledParts {
  const { maxBytes = DEFAULTS.bodyBytesMax, prefix = [], items } = settings;
  const heldBytesMax = settings.maxHeldBytes ?? DEFAULTS.formFieldBytesLimit;
  const problem = (text: string, key: string): void => context.problem(text, "parts", key);
  if (heldBytesMax > DEFAULTS.formFieldBytesLimit)
    problem(
      `parts are held in memory; expected at most ${DEFAULTS.formFieldBytesLimit / 1024 ** 2}MiB`,
      "maxHeldBytes",
    );
  if (prefix.length === 0 && items === undefined)
    problem("nothing is said of parts; expected prefix or items", "prefix");
  const partsMax = settings.maxParts ?? Math.max(DEFAULTS.formPartsMax, prefix.length);
  const partsMin = settings.minParts ?? 0;
  if (partsMin > partsMax) problem(`expected at most maxParts, ${partsMax}`, "minParts");
  checkNames(prefix, context);
  const bounds = { maxBytes, heldBytesMax };
  const place = context.place("parts");
  const rules: PartsRules = {
    prefix: prefix.map((part, at) => partRule(part, ["prefix", at], bounds, options, context)),
    items: items === undefined ? null : partRule(items, ["items"], bounds, options, context),
    partsMin,
    partsMax,
    heldBytesMax,
    bytesMax: maxBytes,
    collectedBytesMax: options.enforcePercent === 100 ? maxBytes : Math.max(maxBytes, DEFAULTS.bodyBytesMax),
    showsErrors: options.showsErrors,
    bodies: context.memory.bodies,
    longBodies: options.longBodies,
    clock: context.clock,
    place,
    placeOf: placesOf(settings, [], context),
  };
  return { bytesMax: maxBytes, judge: judgeParts(rules), watch: (exchange) => watchParts(exchange, rules) };
}

function checkNames(prefix: readonly PartSettings[], context: RouteContext): void {
  const names = prefix.map(({ name }) => name);
  for (const [at, name] of names.entries()) {
    if (name !== undefined && names.indexOf(name) < at)
      context.problem(`another part is called '${name}'`, "parts", "prefix", at, "name");
  }
}

function partRule(
  settings: PartSettings,
  path: readonly (string | number)[],
  { maxBytes, heldBytesMax }: { readonly maxBytes: number; readonly heldBytesMax: number },
  options: PartsOptions,
  context: RouteContext,
): PartRule {
  const { name = null, required = false, schema, content } = settings;
  const types = settings.types ?? (schema === undefined ? null : ["application/json"]);
  const compiled =
    schema === undefined ? null : options.compileSchema(schema, heldBytesMax, "parts", ...path, "schema");
  const placeOf = placesOf(settings, path, context);
  const isJudged = (is: (type: string) => boolean): boolean =>
    types?.some((type) => is(type) || type === "application/*" || type === "text/*") === true;
  const text = compiled !== null && isJudged(isText) ? textOf(compiled, name ?? "", placeOf) : null;
  if (compiled !== null && !isJudged(isJson) && text === null)
    context.problem(
      "the schema can look into JSON and, of type string, into text/plain alone",
      "parts",
      ...path,
      "schema",
    );
  return {
    name,
    required,
    json: compiled?.validator ?? null,
    text,
    types,
    bytesMax: settings.maxBytes ?? maxBytes,
    checksContent: content !== "unchecked",
    headers: compilePartHeaders(settings.headers, context, "parts", ...path),
    placeOf,
  };
}

/** Null where no text fits. */
function textOf({ root, validator }: CompiledSchema, name: string, placeOf: Parameter["placeOf"]): Parameter | null {
  const types = textTypesOf([root]);
  if ((types.types & ~(TYPE.array | TYPE.object)) === 0) return null;
  return {
    name,
    required: false,
    takesEmpty: false,
    styled: { name, style: "form", explode: false, shape: "primitive", properties: [] },
    isJson: false,
    isNested: false,
    types,
    validate: (value) => validator.judge(value),
    placeOf,
  };
}

/** Places are looked up once: a denial takes none of the time of a document. */
function placesOf(settings: object, path: readonly (string | number)[], context: RouteContext) {
  const own = context.place("parts", ...path);
  const places = new Map(Object.keys(settings).map((key) => [key, context.place("parts", ...path, key)]));
  return (keyword: string) => places.get(keyword) ?? own;
}
