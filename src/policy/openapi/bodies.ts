import { rangeOf } from "../../bodies/media-ranges.ts";
import {
  hasItems,
  hasNamedParts,
  hasParts,
  isAnyText,
  isForm,
  isJson,
  isMultipart,
  isXml,
} from "../../bodies/media-type.ts";
import { formFault } from "../../filters/validate/body-reader.ts";
import { xmlPlanOf } from "../../filters/validate/xml/plan.ts";
import type { Description } from "../../openapi/description.ts";
import { placeText } from "../../openapi/findings.ts";
import type { DescribedBody, MediaRange, Operation, SchemaReference } from "../../openapi/operation.ts";
import { FIXED_METHODS } from "../../openapi/operations.ts";
import { isMembers } from "../../openapi/spot.ts";
import type { CompiledSchema } from "../../schema/compile.ts";
import { pointerToken, type SchemaPlace } from "../../schema/document.ts";
import { textTypesOf } from "../../schema/questions/texts.ts";
import type { View } from "../../schema/requests.ts";
import { ALL_TYPES, TYPE } from "../../schema/subschema.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { placeOf, type RouteEntry } from "./entry.ts";
import { alternatives, partOf, sayObject, together } from "./form-parts.ts";
import { lowerForm } from "./forms.ts";
import { type BodyRules, type Lowering, takesAnyBytes, takesAnyText } from "./lowering.ts";
import { unenforcedIn } from "./parameters.ts";
import { lowerParts } from "./parts.ts";

/** `requestBody` of an operation as `validate.body`. */
export function addBody(entry: RouteEntry, operation: Operation, body: DescribedBody, lowering: Lowering): void {
  if (body.media.length === 0) return;
  const { loose, requests } = lowering;
  const at = () => placeOf(body.place, "");
  const seen = new Set<string>();
  let isHeld = false;
  for (const media of body.media) {
    const range = rangeOf(media.range);
    if (range === null) loose("media types that are none", media.place);
    else if (seen.has(range)) loose("media types that differ by parameters alone", media.place);
    if (range === null || seen.has(range)) continue;
    seen.add(range);
    const path = ["validate", "body", "content", range];
    const isOwn = [addParts, addForm, addXml].some((add) => add(entry, operation, range, media, lowering));
    if (isOwn) continue;
    const judged = judgedBy(range, media, lowering);
    if (judged === null) {
      entry.set(path, {}, () => placeOf(media.place, ""));
      continue;
    }
    const { key, schema } = judged;
    isHeld ||= key === "schema";
    const place = () => placeOf(schema.place, schema.pointer);
    entry.set(path, { [key]: schemaName(operation, media, judged, lowering.description) }, place);
  }
  if (seen.size === 0) return;
  if (!body.required) entry.set(["validate", "body", "required"], false, at);
  const { bodyBytesMax } = operation.extensions;
  // It narrows what is taken, and never makes postern hold more.
  if (bodyBytesMax !== null && bodyBytesMax <= DEFAULTS.bodyInspectedBytesMax)
    entry.set(["validate", "body", "maxBytes"], `${bodyBytesMax}B`, at);
  // Of what streams nothing comes off.
  const rule = (asked: BodyRules["readOnly"]): BodyRules["readOnly"] => (isHeld ? asked : judged(asked));
  entry.set(["validate", "body", "readOnly"], rule(requests.readOnly), at);
  if (requests.undeclared !== "ignore") entry.set(["validate", "body", "undeclared"], rule(requests.undeclared), at);
}

/** A multipart body whose parts are told apart by their place. False for what is none. */
function addParts(
  entry: RouteEntry,
  operation: Operation,
  range: string,
  media: MediaRange,
  lowering: Lowering,
): boolean {
  const { schema, itemSchema } = media;
  const own = itemSchema ?? schema;
  if (!hasParts(range) || isMultipart(range) || range.includes("*")) return false;
  const lowered = lowerParts(
    media,
    pointerOf(operation, media, itemSchema === null ? "schema" : "itemSchema"),
    lowering,
  );
  if (lowered === null) return false;
  const path = ["validate", "body", "content", range];
  entry.set(path, { parts: lowered.settings }, () => placeOf(own?.place ?? media.place, own?.pointer ?? ""));
  for (const [inside, { place, pointer }] of lowered.places)
    entry.placeAt([...path, "parts", ...inside], () => placeOf(place, pointer));
  return true;
}

/** A form whose fields have rules each, as a multipart one: others are judged as one object. False for what is none. */
function addForm(
  entry: RouteEntry,
  operation: Operation,
  range: string,
  media: MediaRange,
  lowering: Lowering,
): boolean {
  const { schema } = media;
  if (schema === null || !isFieldwise(range, schema, media, lowering)) return false;
  const { settings, places, loose } = lowerForm(
    media,
    pointerOf(operation, media, "schema"),
    lowering.description,
    lowering.requests,
  );
  for (const [what, place] of loose) lowering.loose(what, place);
  if (settings === null) return false;
  const path = ["validate", "body", "content", range];
  entry.set(path, { form: settings }, () => placeOf(schema.place, schema.pointer));
  for (const [name, { place, pointer }] of places) {
    for (const section of ["fields", "files"])
      entry.placeAt([...path, "form", section, name], () => placeOf(place, pointer));
  }
  return true;
}

/** Whether each field of it has rules of its own. */
function isFieldwise(range: string, schema: SchemaReference, media: MediaRange, lowering: Lowering): boolean {
  if (isMultipart(range)) return true;
  if (isForm(range)) return hasFields(schema, media, lowering);
  const { reading } = lowering.description;
  const parts = together(partOf(schema), reading);
  return hasNamedParts(range) && sayObject([...parts, ...alternatives(parts, reading)]);
}

/** Whether an urlencoded form is more than one object of texts: objects, styles, texts that alternatives take for numbers. */
function hasFields(schema: SchemaReference, { encoding }: MediaRange, { description: { library } }: Lowering): boolean {
  const styled = Object.values(encoding ?? {}).some(
    (own) => isMembers(own) && (own["style"] !== undefined || own["explode"] !== undefined),
  );
  const compiled = library.compile(schema, true);
  if (!compiled.ok || styled) return styled;
  const types = textTypesOf([compiled.value.root]);
  const isSeveral = (bits: number): boolean =>
    bits !== ALL_TYPES && (bits & TYPE.string) !== 0 && (bits & (TYPE.number | TYPE.integer | TYPE.boolean)) !== 0;
  return formFault(types) !== null || types.names.some((name) => isSeveral(types.member(name).types));
}

/** XML is held against its schema where that has one reading as XML; else it is read, and told. */
function addXml(
  entry: RouteEntry,
  operation: Operation,
  range: string,
  media: MediaRange,
  lowering: Lowering,
): boolean {
  if (!isXml(range)) return false;
  const { schema, place } = media;
  const path = ["validate", "body", "content", range];
  if (schema === null || !canJudgeXml(schema, lowering)) {
    entry.set(path, { xml: {} }, () => placeOf(place, ""));
    return true;
  }
  const name = schemaName(operation, media, { key: "schema", schema }, lowering.description);
  entry.set(path, { xml: { schema: name } }, () => placeOf(schema.place, schema.pointer));
  return true;
}

function canJudgeXml(schema: SchemaReference, lowering: Lowering): boolean {
  const compiled = compileSeen(schema, bodyView(lowering), lowering);
  if (compiled === null) return false;
  const plan = xmlPlanOf(compiled.root);
  const isCheap = DEFAULTS.bodyInspectedBytesMax * compiled.cost.judgementsMax <= DEFAULTS.schemaWorkBytesMax;
  const fault = plan.ok ? (isCheap ? null : "schemas that would take minutes for one body") : `as XML: ${plan.error}`;
  if (fault !== null) lowering.loose(fault, schema.place);
  for (const [word, at] of fault === null ? unenforcedIn(compiled) : []) lowering.loose(word, at ?? schema.place);
  return fault === null;
}

interface Judged {
  readonly key: "schema" | "itemSchema";
  readonly schema: SchemaReference;
}

/** What bodies of a range are held against: each item of a stream, or the whole; null, and told why, for nothing. */
function judgedBy(range: string, media: MediaRange, lowering: Lowering): Judged | null {
  const { schema, itemSchema, place } = media;
  if (itemSchema !== null && canJudgeItems(range, itemSchema, place, lowering)) {
    if (schema !== null) lowering.loose("schemas of whole streams", schema.place);
    return { key: "itemSchema", schema: itemSchema };
  }
  return schema !== null && canJudge(range, media, lowering) ? { key: "schema", schema } : null;
}

/** From the document itself: what its references lead to has no version of its own. */
function schemaName(
  operation: Operation,
  media: MediaRange,
  { key, schema: { document, pointer } }: Judged,
  { file, root }: Description,
): string {
  return `${file}#${document === root.document ? pointer : pointerOf(operation, media, key)}`;
}

function pointerOf({ method, template }: Operation, { written }: MediaRange, last: string): string {
  const key = FIXED_METHODS.has(method) ? [method.toLowerCase()] : ["additionalOperations", method];
  const steps = ["paths", template, ...key, "requestBody", "content", written, last];
  return steps.map((step) => `/${pointerToken(step)}`).join("");
}

/** Whether each item of a stream can be held against its schema; else it is told. */
function canJudgeItems(range: string, schema: SchemaReference, place: SchemaPlace, lowering: Lowering): boolean {
  const { loose } = lowering;
  if (!hasItems(range)) {
    loose(`itemSchema of ${range}`, place);
    return false;
  }
  const compiled = compileSeen(schema, bodyView(lowering), lowering);
  if (compiled === null) return false;
  for (const [word, at] of unenforcedIn(compiled)) loose(word, at ?? schema.place);
  return true;
}

/** Whether bodies of a range can be held against its schema; else it is told. */
function canJudge(range: string, { schema, place }: MediaRange, lowering: Lowering): boolean {
  const { loose } = lowering;
  if (schema === null) return false;
  if (!isJson(range) && !isForm(range) && !isAnyText(range) && !range.includes("*")) {
    if (hasParts(range) || !takesAnyBytes(schema.value)) loose(`schemas of ${range}`, place);
    return false;
  }
  if (isAnyText(range) && takesAnyText(schema.value)) return false;
  const compiled = compileSeen(schema, bodyView(lowering), lowering);
  if (compiled === null) return false;
  for (const [word, at] of unenforcedIn(compiled)) loose(word, at ?? schema.place);
  const bytes = DEFAULTS.bodyInspectedBytesMax * compiled.cost.judgementsMax;
  const types = textTypesOf([compiled.root]);
  const fault =
    bytes > DEFAULTS.schemaWorkBytesMax
      ? "schemas that would take minutes for one body"
      : isForm(range) && (types.types & TYPE.object) === 0
        ? "forms that are no objects"
        : isForm(range) && formFault(types) !== null
          ? "forms with fields that are objects"
          : isAnyText(range) && (types.types & TYPE.string) === 0
            ? "schemas of text that take no text"
            : null;
  if (fault !== null) loose(fault, schema.place);
  return fault === null;
}

/** Null, with a warning for each fault, where it has some: the body is then taken as it is. */
export function compileSeen(
  schema: SchemaReference,
  view: View,
  { description, findings }: Pick<Lowering, "description" | "findings">,
): CompiledSchema | null {
  const { library } = description;
  const compiled = library.compile(schema, true, view);
  if (compiled.ok) return compiled.value;
  for (const { place, text } of compiled.error.slice(0, DEFAULTS.fileProblemsMax)) {
    const user = place === null ? "" : ` (used at ${placeText(schema.place)})`;
    findings.warning(place ?? schema.place, `${text}; the schema is not enforced${user}`);
  }
  return null;
}

function bodyView({ requests }: Lowering): View {
  return { readOnly: judged(requests.readOnly), undeclared: judged(requests.undeclared) };
}

/** Whatever comes off is refused by the schema that has the last word. */
function judged(rule: BodyRules["readOnly"]): "ignore" | "refuse" {
  return rule === "ignore" ? "ignore" : "refuse";
}
