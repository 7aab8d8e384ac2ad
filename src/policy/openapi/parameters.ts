import { isForm, isJson, mediaTypeOf } from "../../bodies/media-type.ts";
import { isSpreadObject } from "../../bodies/parameter-styles.ts";
import { hasInner, shapeOf } from "../../filters/validate/compile-parameters.ts";
import type { SchemaLibrary } from "../../openapi/description.ts";
import type { DescribedParameter, SchemaReference } from "../../openapi/operation.ts";
import type { CompiledSchema } from "../../schema/compile.ts";
import type { SchemaPlace } from "../../schema/document.ts";
import { textTypesOf } from "../../schema/questions/texts.ts";
import { TYPE } from "../../schema/subschema.ts";

/** A parameter in the words of `validate`, and what of it these have no word for. */
export interface LoweredParameter {
  /** Null where nothing of its value can be said. */
  readonly settings: Readonly<Record<string, unknown>> | null;
  readonly loose: readonly string[];
}

/** What a schema asks for and nobody enforces; words for readers, as `example` and `x-…`, ask for nothing. */
export function unenforcedIn({ unenforced }: CompiledSchema): readonly (readonly [string, SchemaPlace | null])[] {
  return [...unenforced].filter(([word]) => !READERS.has(word) && !word.startsWith("x-"));
}

const READERS: ReadonlySet<string> = new Set(["example", "examples", "externalDocs", "xml"]);

/** What a schema is called in a policy: `file#pointer`. */
export type NameOf = (schema: SchemaReference) => string;

/** A parameter as a description has it, in any style; its schema stays where it stands. */
export function lowerParameter(
  parameter: DescribedParameter,
  library: SchemaLibrary,
  nameOf: NameOf,
): LoweredParameter {
  const { content, in: where } = parameter;
  const own = requiredOf(parameter);
  if (content !== null) return lowerContent(parameter, library, nameOf);
  if (where === "querystring") return unread("a querystring without 'content'");
  const { schema } = parameter;
  if (schema === null) return { settings: { type: "string", ...own }, loose: [] };
  const compiled = library.compile(schema, true);
  if (!compiled.ok) return unread("schemas of parameters that have faults");
  const types = textTypesOf([compiled.value.root]);
  const { style } = parameter;
  const shape = shapeOf(types, style);
  const loose = unenforcedIn(compiled.value).map(([word]) => `${word} of parameters`);
  const isPlain = (types.types & ~(TYPE.array | TYPE.object | TYPE.null)) !== 0;
  if (shape === "primitive" && !isPlain) return unread("parameters that are lists or objects at once");
  const isSpread = where === "query" && isSpreadObject({ ...parameter, shape });
  if (style !== "deepObject" && hasInner(types, shape, isSpread))
    return unread(
      shape === "array"
        ? "lists of objects or lists in parameters"
        : `parameters that are objects with ${isSpread ? "" : "lists or "}objects in them`,
    );
  if (isSpread && types.names.length === 0 && !types.namesOthers)
    return unread("parameters that are objects without 'properties'");
  if (style === "deepObject" && shape === "primitive") return unread("style deepObject of what is no object");
  return { settings: { schema: nameOf(schema), ...styleOf(parameter), ...own }, loose };
}

function unread(what: string): LoweredParameter {
  return { settings: null, loose: [what] };
}

function requiredOf({ required, in: where }: DescribedParameter): Readonly<Record<string, unknown>> {
  return required && where !== "path" ? { required: true } : {};
}

/** What of its style is not the usual one. */
function styleOf({
  name,
  style,
  explode,
  allowEmptyValue,
  in: where,
}: DescribedParameter): Readonly<Record<string, unknown>> {
  const isUsual = style === (where === "query" || where === "cookie" ? "form" : "simple");
  const explodes = style === "form" || style === "cookie" || style === "deepObject";
  // Of deepObject there is no other way; 3.0 says false where nothing is said.
  const isSaid = style !== "deepObject" && explode !== explodes;
  return {
    ...(isUsual ? {} : { style }),
    ...(isSaid ? { explode } : {}),
    // A route may call the parameter otherwise; requests write it as the document does.
    ...(style === "matrix" ? { name } : {}),
    ...(allowEmptyValue && where === "query" ? { allowEmptyValue: true } : {}),
  };
}

function lowerContent(parameter: DescribedParameter, library: SchemaLibrary, nameOf: NameOf): LoweredParameter {
  const { content, in: where } = parameter;
  const type = mediaTypeOf(content?.range ?? "")?.type ?? "";
  const own = requiredOf(parameter);
  const isWhole = where === "querystring";
  const isKnown = isJson(type) || (isWhole && isForm(type));
  if (!isKnown) return unread(`parameters of ${type}`);
  const settings = { ...own, ...(isJson(type) ? { content: "application/json" } : {}) };
  const schema = content?.schema ?? null;
  if (schema === null) return { settings: { ...settings, schema: {} }, loose: [] };
  const compiled = library.compile(schema, true);
  if (!compiled.ok) return unread("schemas of parameters that have faults");
  const loose = unenforcedIn(compiled.value).map(([word]) => `${word} of parameters`);
  return { settings: { ...settings, schema: nameOf(schema) }, loose };
}
