import type { Description } from "../../openapi/description.ts";
import type { Findings } from "../../openapi/findings.ts";
import { placeText } from "../../openapi/findings.ts";
import { schemaAt } from "../../openapi/media.ts";
import type { DescribedBody, MediaRange, Operation, SchemaReference } from "../../openapi/operation.ts";
import { FIXED_METHODS } from "../../openapi/operations.ts";
import { Spot } from "../../openapi/spot.ts";
import type { CompiledSchema } from "../../schema/compile.ts";
import { pointerToken } from "../../schema/document.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { headerName } from "../../support/schema.ts";
import { placeOf, type RouteEntry } from "./entry.ts";
import { lowerParameter } from "./parameters.ts";

/** What of a description is not enforced: kinds for the whole of it, and each of one operation. */
export type Loose = (
  what: string,
  place: { readonly file: string; readonly line: number; readonly column: number },
) => void;

/** Parameters and body of an operation as `validate` of its route. `names`: see `LoweredTemplate`. */
export function addValidation(
  entry: RouteEntry,
  operation: Operation,
  names: ReadonlyMap<string, string>,
  description: Description,
  findings: Findings,
  loose: Loose,
): void {
  entry.placeAt(["validate"], () => placeOf(operation.place, operation.pointer));
  addParameters(entry, operation, names, description, loose);
  if (operation.body !== null) addBody(entry, operation, operation.body, description, findings, loose);
}

function addParameters(
  entry: RouteEntry,
  operation: Operation,
  names: ReadonlyMap<string, string>,
  { reading }: Description,
  loose: Loose,
): void {
  for (const parameter of operation.parameters) {
    const { schema, place } = parameter;
    const follow = (value: unknown): SchemaReference | null =>
      schema === null || value === undefined
        ? null
        : schemaAt(new Spot(schema.document, `${schema.pointer}/items`, value, null, ""), reading);
    const { settings, loose: told } = lowerParameter(parameter, follow);
    for (const what of told) loose(what, place);
    if (settings === null) continue;
    const section = parameter.in === "header" ? "headers" : parameter.in;
    const name = section === "path" ? names.get(parameter.name) : parameter.name;
    if (name === undefined) {
      loose("parameters of a part of a segment, or of none", place);
      continue;
    }
    if (section === "headers" && !headerName.safeParse(name).success) {
      loose("headers whose name is none", place);
      continue;
    }
    // It has the place of the parameter; what its schema says stands there, or where that leads.
    entry.set(["validate", section, section === "headers" ? name.toLowerCase() : name], settings, () =>
      placeOf(place, schema?.pointer ?? ""),
    );
  }
}

function addBody(
  entry: RouteEntry,
  operation: Operation,
  body: DescribedBody,
  description: Description,
  findings: Findings,
  loose: Loose,
): void {
  if (body.media.length === 0) return;
  const types = typesOf(body.media);
  const at = () => placeOf(body.place, "");
  if (types === null) loose("ranges of media types", body.place);
  else entry.set(["validate", "contentType"], types, at);
  const schema = oneSchema(body.media);
  if (typeof schema === "string") loose(schema, body.place);
  if (schema === null || typeof schema === "string" || types === null) {
    if (body.required) loose("that there is a body", body.place);
    return;
  }
  const compiled = compileBody(schema, description, findings);
  if (compiled === null) return;
  for (const [word, place] of compiled.unenforced) loose(word, place ?? schema.place);
  const bytes = DEFAULTS.bodyInspectedBytesMax * compiled.cost.judgementsMax;
  if (bytes > DEFAULTS.schemaWorkBytesMax) {
    loose("schemas that would take minutes for one body", schema.place);
    return;
  }
  entry.set(["validate", "body", "schema"], schemaName(operation, body, schema, description), () =>
    placeOf(schema.place, schema.pointer),
  );
  if (!body.required) entry.set(["validate", "body", "required"], false, at);
}

/** From the document itself: what its references lead to has no version of its own. */
function schemaName(
  { method, template }: Operation,
  { media }: DescribedBody,
  { document, pointer }: SchemaReference,
  { file, root }: Description,
): string {
  if (document === root.document) return `${file}#${pointer}`;
  const key = FIXED_METHODS.has(method) ? [method.toLowerCase()] : ["additionalOperations", method];
  const steps = ["paths", template, ...key, "requestBody", "content", media[0]?.written ?? "", "schema"];
  return `${file}#${steps.map((step) => `/${pointerToken(step)}`).join("")}`;
}

/** Null where one of them is a range, or cannot be read. */
function typesOf(media: readonly MediaRange[]): readonly string[] | null {
  const types = new Set<string>();
  for (const { range } of media) {
    const type = (range.split(";", 1)[0] ?? "").trim();
    if (!/^[!#$%&'+\-.^_`|~0-9a-z]+\/[!#$%&'+\-.^_`|~0-9a-z]+$/.test(type)) return null;
    types.add(type);
  }
  return [...types];
}

/** The one schema of a body that is JSON whatever its type; null for none, else why it is not looked into. */
function oneSchema(media: readonly MediaRange[]): SchemaReference | string | null {
  const schemas = media.flatMap(({ schema }) => (schema === null ? [] : [schema]));
  const [first] = schemas;
  if (media.some(({ itemSchema }) => itemSchema !== null)) return "itemSchema";
  if (first === undefined) return null;
  const other = media.find(({ range }) => !/^application\/(?:[^;]*\+)?json *(?:;|$)|^[^;]*\+json *(?:;|$)/.test(range));
  if (other !== undefined) return `schemas of ${(other.range.split(";", 1)[0] ?? "").trim()}`;
  const isOne = schemas.length === media.length && schemas.every((one) => isSame(one, first));
  return isOne ? first : "schemas that differ by media type";
}

function isSame(a: SchemaReference, b: SchemaReference): boolean {
  return a.document === b.document && a.pointer === b.pointer;
}

/** Null, with a warning for each fault, where it has some: the body is then taken as it is. */
function compileBody(schema: SchemaReference, { library }: Description, findings: Findings): CompiledSchema | null {
  const compiled = library.compile(schema, true);
  if (compiled.ok) return compiled.value;
  for (const { place, text } of compiled.error.slice(0, DEFAULTS.fileProblemsMax)) {
    const user = place === null ? "" : ` (used at ${placeText(schema.place)})`;
    findings.warning(place ?? schema.place, `${text}; the schema is not enforced${user}`);
  }
  return null;
}
