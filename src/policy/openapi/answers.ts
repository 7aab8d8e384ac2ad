import { rangeOf } from "../../bodies/media-ranges.ts";
import { hasItems, isJson, isText } from "../../bodies/media-type.ts";
import type { Answer, DescribedParameter, MediaRange, Operation, SchemaReference } from "../../openapi/operation.ts";
import { FIXED_METHODS } from "../../openapi/operations.ts";
import { pointerToken } from "../../schema/document.ts";
import { textTypesOf } from "../../schema/questions/texts.ts";
import type { AnswerRules } from "../../schema/requests.ts";
import { TYPE } from "../../schema/subschema.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { headerName } from "../../support/schema.ts";
import type { AnswersSettings } from "./answers-section.ts";
import { compileSeen } from "./bodies.ts";
import { placeOf, type RouteEntry } from "./entry.ts";
import type { Lowering } from "./lowering.ts";
import { lowerParameter, unenforcedIn } from "./parameters.ts";

/** As many write it, `2xx` is `2XX`; null for what is no status. */
function statusOf({ status }: Answer): string | null {
  return /^(?:[1-5]\d\d|[1-5]XX)$/i.test(status) ? status.toUpperCase() : status === "default" ? status : null;
}

/** What an operation says of its answers, as `response.validate` of its route. Links ask for nothing. */
export function addAnswers(
  entry: RouteEntry,
  operation: Operation,
  settings: AnswersSettings,
  lowering: Lowering,
): void {
  const path = ["response", "validate"];
  const at = () => placeOf(operation.place, operation.pointer);
  const all = operation.answers();
  const answers = all.filter((answer) => statusOf(answer) !== null);
  for (const other of all) if (!answers.includes(other)) lowering.loose("answers whose status is none", other.place);
  if (answers.length === 0) {
    if (all.length === 0) lowering.loose("answers of operations without 'responses'", operation.place);
    return;
  }
  entry.placeAt(["response"], at);
  for (const [key, value] of Object.entries(settings)) if (value !== undefined) entry.set([...path, key], value, at);
  // What is declared and not read would be taken for undeclared.
  if (answers.length < all.length) entry.set([...path, "undeclaredStatus"], "pass", at);
  for (const answer of answers)
    addAnswer(entry, [...path, "responses", statusOf(answer) ?? ""], operation, answer, lowering);
}

function addAnswer(
  entry: RouteEntry,
  path: readonly string[],
  operation: Operation,
  answer: Answer,
  lowering: Lowering,
): void {
  const { status, media, headers, place } = answer;
  entry.set(path, {}, () => placeOf(place, pointerOf(operation, status)));
  for (const header of headers) addHeader(entry, path, operation, status, header, lowering);
  const seen = new Set<string>();
  for (const one of media) {
    const range = rangeOf(one.range);
    if (range === null) lowering.loose("media types that are none", one.place);
    if (range === null || seen.has(range)) continue;
    seen.add(range);
    const pointer = pointerOf(operation, status, "content", one.written);
    addContent(entry, [...path, "content", range], pointer, { ...one, range }, lowering);
  }
}

/** Each Set-Cookie is a header of its own, which no schema of one value speaks of. */
function addHeader(
  entry: RouteEntry,
  path: readonly string[],
  operation: Operation,
  status: string,
  header: DescribedParameter,
  { description, loose }: Lowering,
): void {
  const { name, place } = header;
  if (!headerName.safeParse(name).success || name.toLowerCase() === "set-cookie") {
    loose(`header ${name} of answers`, place);
    return;
  }
  const inner = header.content === null ? ["schema"] : ["content", header.content.written, "schema"];
  const around = pointerOf(operation, status, "headers", name, ...inner);
  const nameOf = (schema: SchemaReference): string => schemaName(schema, around, description);
  const { settings, loose: told } = lowerParameter(header, description.library, nameOf);
  for (const what of told) loose(what.replace("of parameters", "of headers"), place);
  if (settings === null) return;
  entry.set([...path, "headers", name.toLowerCase()], settings, () => placeOf(place, header.schema?.pointer ?? ""));
}

function addContent(
  entry: RouteEntry,
  path: readonly string[],
  pointer: string,
  { range, schema, itemSchema, place }: MediaRange,
  lowering: Lowering,
): void {
  const key = itemSchema !== null && hasItems(range) ? "itemSchema" : "schema";
  const own = key === "itemSchema" ? itemSchema : schema;
  if (own === null || !canJudge(range, own, key, lowering)) {
    entry.set(path, {}, () => placeOf(place, pointer));
    return;
  }
  const name = schemaName(own, `${pointer}/${key}`, lowering.description);
  entry.set(path, { [key]: name }, () => placeOf(own.place, own.pointer));
}

/** Whether bodies of a range can be held against its schema; else it is told. */
function canJudge(range: string, schema: SchemaReference, key: "schema" | "itemSchema", lowering: Lowering): boolean {
  const { loose, answers } = lowering;
  if (key === "schema" && !isJson(range) && !isText(range) && !range.includes("*")) {
    loose(`schemas of ${range} in answers`, schema.place);
    return false;
  }
  const compiled = compileSeen(schema, viewOf(answers ?? {}), lowering);
  if (compiled === null) return false;
  for (const [word, at] of unenforcedIn(compiled)) loose(word, at ?? schema.place);
  const bytesMax = key === "schema" ? DEFAULTS.bodyInspectedBytesMax : DEFAULTS.answerEventBytesMax;
  const isDear = bytesMax * compiled.cost.judgementsMax > DEFAULTS.schemaWorkBytesMax;
  const isNoText = isText(range) && (textTypesOf([compiled.root]).types & TYPE.string) === 0;
  if (isDear) loose("schemas that would take minutes for one body", schema.place);
  if (isNoText) loose("schemas of text that take no text", schema.place);
  return !isDear && !isNoText;
}

/** As `response.validate` has it: whatever comes off is refused by the schema that has the last word. */
function viewOf({ writeOnly, undeclaredProperties, stripUndeclared }: AnswersSettings): AnswerRules {
  return {
    writeOnly: writeOnly === "ignore" ? "ignore" : "refuse",
    undeclared: undeclaredProperties === "refuse" || stripUndeclared === true ? "refuse" : "ignore",
  };
}

/** From the document itself: what its references lead to has no version of its own. */
function schemaName(
  { document, pointer }: SchemaReference,
  around: string,
  { file, root }: Lowering["description"],
): string {
  return `${file}#${document === root.document ? pointer : around}`;
}

function pointerOf({ method, template }: Operation, ...steps: readonly string[]): string {
  const key = FIXED_METHODS.has(method) ? [method.toLowerCase()] : ["additionalOperations", method];
  return ["paths", template, ...key, "responses", ...steps].map((step) => `/${pointerToken(step)}`).join("");
}
