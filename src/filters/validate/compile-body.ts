import { MediaRanges, rangeOf } from "../../bodies/media-ranges.ts";
import { hasItems, isForm, isJson, isText } from "../../bodies/media-type.ts";
import type { CompiledSchema } from "../../schema/compile.ts";
import { textTypesOf } from "../../schema/questions/texts.ts";
import { ALL_TYPES, TYPE } from "../../schema/subschema.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { Steps } from "../../support/turns.ts";
import type { Check, RouteContext } from "../filter.ts";
import { type BodyReader, formFault, formReader, readJson, readText } from "./body-reader.ts";
import { type CompileBodySchema, compileSchemaAt } from "./body-schema.ts";
import {
  type BodyRules,
  judgeAnnouncedLength,
  judgeBody,
  judgeByType,
  judgeContentEncoding,
  judgeContentType,
  type Kind,
  type MediaRules,
  watchByType,
} from "./evaluate.ts";
import type { HoldRules, Part } from "./held-body.ts";
import { shapeOf } from "./json-shape.ts";
import { compileLanguage, LANGUAGE_TYPES, type Language, languageOf } from "./languages.ts";
import { LongBodies } from "./long-bodies.ts";
import type { SyncPart } from "./parameter-parts.ts";
import { INFLATE, ITEMS, SANITISE } from "./parts.ts";
import { checkSanitising, isSanitising } from "./sanitising.ts";
import type { ValidateSettings } from "./schema.ts";

/** One line for all routes and policies. */
export const longBodies: LongBodies = new LongBodies();

/** What is asked of bodies: of their head, and of their bytes (null for nothing). */
export interface CompiledBody {
  readonly head: readonly SyncPart[];
  readonly whole: Part | null;
  /** Who looks at the body as it streams; null for nobody. */
  readonly watch: Check["watch"] | null;
}

type Path = readonly (string | number)[];

/** A media type or range that a body may have, and what its schema is called; null for none. */
interface Media {
  readonly range: string;
  readonly schema: string | null;
  /** The schema is that of each item. */
  readonly isItems: boolean;
  /** Of the schema, or of the range where it has none. */
  readonly path: Path;
}

/** What `validate` says of bodies, in either form: one schema for all types, or one for each. */
function mediaOf({ contentType, body }: ValidateSettings, language: Language | null): readonly Media[] | null {
  if (body?.content !== undefined) {
    return Object.entries(body.content).map(([range, { schema, itemSchema }]) => {
      const path = ["body", "content", range];
      if (itemSchema !== undefined) return { range, schema: itemSchema, isItems: true, path: [...path, "itemSchema"] };
      return { range, schema: schema ?? null, isItems: false, path: schema === undefined ? path : [...path, "schema"] };
    });
  }
  if (language !== null) {
    const path = [language];
    return (contentType ?? LANGUAGE_TYPES[language]).map((range) => ({ range, schema: null, isItems: false, path }));
  }
  if (body?.itemSchema !== undefined) {
    const schema = body.itemSchema;
    return (contentType ?? ITEM_TYPES).map((range) => ({ range, schema, isItems: true, path: ["body", "itemSchema"] }));
  }
  const schema = body?.schema ?? null;
  if (schema === null && contentType === undefined) return null;
  return (contentType ?? ["application/json"]).map((range) => {
    return { range, schema, isItems: false, path: schema === null ? ["contentType"] : ["body", "schema"] };
  });
}

export function* compileBody(
  settings: ValidateSettings,
  enforcePercent: number,
  context: RouteContext,
  compileSchema: CompileBodySchema,
): Steps<CompiledBody> {
  const language = languageOf(settings);
  const media = mediaOf(settings, language);
  checkMedia(settings, media ?? [], context);
  checkSanitising(settings, media?.some(({ schema }) => schema !== null) ?? false, context);
  checkItems(settings, media ?? [], context);
  const isHeld = language !== null || (media?.some(({ schema, isItems }) => schema !== null && !isItems) ?? false);
  const isWatched = media?.some(({ isItems }) => isItems) ?? false;
  const isJudged = isHeld || isWatched;
  const usualBytesMax = isHeld ? DEFAULTS.bodyInspectedBytesMax : isWatched ? DEFAULTS.bodyBytesMax : null;
  const bytesMax = settings.body?.maxBytes ?? usualBytesMax;
  // A bound that is only tried out must not cut bodies off.
  if (bytesMax !== null && enforcePercent === 100) context.setBodyBytesMax(bytesMax);
  const hold = isJudged ? holdOf(bytesMax ?? 0, isHeld, enforcePercent, context) : null;
  const ranges = new MediaRanges(media?.map(({ range }) => range) ?? []);
  const rules =
    hold === null
      ? (media ?? []).map(() => UNJUDGED)
      : compileMedia(media ?? [], settings, hold, context, compileSchema);
  const head = compileHead(settings, media, ranges, rules, bytesMax, isJudged, context);
  if (language === null) return { head, whole: judgeByType(ranges, rules), watch: watchByType(ranges, rules) };
  if (hold === null) return { head, whole: null, watch: null };
  const compileAt = (name: string, ...path: readonly string[]): CompiledSchema | null =>
    compileSchemaAt(name, path, settings, hold.bytesMax, context, compileSchema);
  return { head, whole: yield* compileLanguage(language, settings, hold, context, compileAt), watch: null };
}

/** What the head alone shows of a body. */
function compileHead(
  settings: ValidateSettings,
  media: readonly Media[] | null,
  ranges: MediaRanges,
  rules: readonly MediaRules[],
  bytesMax: number | null,
  isJudged: boolean,
  context: RouteContext,
): readonly SyncPart[] {
  const head: SyncPart[] = [];
  const { contentType, body } = settings;
  const own: Path = body?.content !== undefined ? ["body", "content"] : (media?.[0]?.path ?? []);
  if (media !== null) {
    const isRequired = body?.content !== undefined && body.required !== false;
    const typeKey: Path = contentType === undefined ? own : ["contentType"];
    head.push(judgeContentType(ranges, rules, isRequired, context.place(...typeKey)));
  }
  if (bytesMax !== null) {
    const key: Path = body?.maxBytes === undefined ? own : ["body", "maxBytes"];
    head.push(judgeAnnouncedLength(bytesMax, context.place(...key)));
  }
  if (isJudged) head.push(compileEncoding(settings, own, context));
  else if (settings.contentEncoding === "inflate")
    context.problem("nothing looks into bodies; expected 'body.schema' or 'form'", "contentEncoding");
  return head;
}

/** Behind all that the head alone shows, for it gives the request another body. `judge`: who looks into it. */
export function compileEncoding(
  { contentEncoding, maxInflation }: ValidateSettings,
  judge: Path,
  context: RouteContext,
): SyncPart {
  const place = context.place(...(contentEncoding === undefined ? judge : ["contentEncoding"]));
  if (contentEncoding !== "inflate") return judgeContentEncoding(place);
  return INFLATE.get().inflateBody(place, maxInflation ?? DEFAULTS.inflationMax, context.memory.bodies);
}

/** Null, with a problem, where a body would be too large to be held. */
function holdOf(
  bytesMax: number,
  isHeld: boolean,
  enforcePercent: number,
  context: RouteContext,
): Omit<HoldRules, "place"> | null {
  if (isHeld && bytesMax > DEFAULTS.bodiesInspectedBytesMax) {
    const most = `${DEFAULTS.bodiesInspectedBytesMax / 1024 ** 2}MiB`;
    context.problem(`bodies are held in memory to be looked into; expected at most ${most}`, "body", "maxBytes");
    return null;
  }
  const collectedBytesMax = enforcePercent === 100 ? bytesMax : Math.max(bytesMax, DEFAULTS.bodyBytesMax);
  return { bytesMax, collectedBytesMax, bodies: context.memory.bodies, longBodies, clock: context.clock };
}

function checkItems({ body }: ValidateSettings, media: readonly Media[], context: RouteContext): void {
  const isUsed = media.some(({ isItems }) => isItems);
  if (body?.itemSchema !== undefined && (body.schema !== undefined || body.content !== undefined))
    context.problem(
      `expected one of the two, 'itemSchema' or '${body.content === undefined ? "schema" : "content"}'`,
      "body",
      "itemSchema",
    );
  for (const [range, { schema, itemSchema }] of Object.entries(body?.content ?? {})) {
    if (schema !== undefined && itemSchema !== undefined)
      context.problem("expected one of the two, 'schema' or 'itemSchema'", "body", "content", range, "itemSchema");
  }
  if (body?.items !== undefined && !isUsed)
    context.problem("nothing is judged item by item; expected 'itemSchema'", "body", "items");
  if ((body?.items?.maxBytes ?? 0) > DEFAULTS.itemBytesLimit) {
    const most = `${DEFAULTS.itemBytesLimit / 1024 ** 2}MiB`;
    context.problem(`an item is held in memory; expected at most ${most}`, "body", "items", "maxBytes");
  }
  if (isUsed && context.isBodyWanted() && !media.some(({ schema, isItems }) => schema !== null && !isItems))
    context.problem("a rule looks at members of the body, which passes item by item", "body");
}

function checkMedia({ contentType, body }: ValidateSettings, media: readonly Media[], context: RouteContext): void {
  if (body?.content !== undefined) {
    if (body.schema !== undefined)
      context.problem("'content' has a schema for each type; expected one of the two", "body", "schema");
    if (contentType !== undefined)
      context.problem("'body.content' lists the types; expected one of the two", "contentType");
    for (const { range, path } of media) {
      if (rangeOf(range) === null)
        context.problem(`'${range}' is no media type; expected one as application/json or text/*`, ...path.slice(0, 3));
    }
  }
  for (const [at, { range, schema, isItems, path }] of media.entries()) {
    const where: Path = body?.content === undefined ? ["contentType", at] : path;
    if (isItems && !hasItems(range) && !(rangeOf(range) ?? "*").includes("*"))
      context.problem(`'${range}' has no items; expected one of: ${ITEM_TYPES.join(", ")}`, ...where);
    if (isItems) continue;
    const isKnown = isJson(range) || isForm(range) || isText(range) || (rangeOf(range) ?? "*").includes("*");
    if (schema === null || isKnown) continue;
    context.problem(`the schema cannot look into '${range}'; expected a JSON type, a form or text/plain`, ...where);
  }
}

/** How each of them is judged, in the order of `media`. */
function compileMedia(
  media: readonly Media[],
  settings: ValidateSettings,
  hold: Omit<HoldRules, "place">,
  context: RouteContext,
  compileSchema: CompileBodySchema,
): readonly MediaRules[] {
  const known = new Map<string, MediaRules>();
  return media.map(({ range, schema, isItems, path }) => {
    if (schema === null) return UNJUDGED;
    const bytesMax = isItems ? (settings.body?.items?.maxBytes ?? DEFAULTS.itemBytesMax) : hold.bytesMax;
    const compiled = compileSchemaAt(schema, path, settings, bytesMax, context, compileSchema);
    if (compiled === null) return UNJUDGED;
    if (isItems) return ITEMS.get().compileItems(compiled, path, settings, hold, context);
    const shared = known.get(schema) ?? rulesOf(compiled, path, settings, hold, context);
    known.set(schema, shared);
    const fault = isForm(range) ? formFault(textTypesOf([compiled.root])) : null;
    if (fault !== null) context.problem(fault, ...path);
    if (isText(range) && !shared.takes("text"))
      context.problem(`the schema takes no text, and a body of '${range}' is one`, ...path);
    return shared;
  });
}

/** Types of streams where `contentType` says nothing. */
const ITEM_TYPES: readonly string[] = [
  "application/x-ndjson",
  "application/jsonl",
  "application/json-seq",
  "text/event-stream",
];

const UNJUDGED: MediaRules = { isJudged: false, takes: () => true, judge: null };

function rulesOf(
  compiled: CompiledSchema,
  path: Path,
  settings: ValidateSettings,
  hold: Omit<HoldRules, "place">,
  context: RouteContext,
): MediaRules {
  const types = textTypesOf([compiled.root]);
  const usual = {
    ...hold,
    keepsValue: context.isBodyWanted(),
    required: settings.body?.required ?? true,
    validator: compiled.validator,
    showsErrors: settings.errors !== "hidden",
    place: context.place(...path),
  };
  const shape = shapeOf(settings.body, usual.showsErrors, context);
  const rules = (read: BodyReader): BodyRules => {
    return read === readJson
      ? { ...usual, read, shape, recogniser: compiled.recogniser }
      : { ...usual, read, recogniser: null };
  };
  // What is only tried out changes nothing.
  const isSanitised = isSanitising(settings) && (settings.mode ?? 100) === 100;
  const sanitised = isSanitised
    ? SANITISE.get().compileSanitised(compiled, { ...usual, shape }, settings, path, context)
    : null;
  const parts = new Map<Kind, Part>();
  const takesText = (types.types & TYPE.string) !== 0;
  // What nothing is asked of may be of any type; else only what can be held against its schema is taken.
  const isOpen = takesText && types.types === ALL_TYPES;
  return {
    isJudged: true,
    takes: (kind) => kind === "json" || kind === "form" || (kind === "text" && takesText) || isOpen,
    judge: (kind) => {
      if (kind === "json" && sanitised !== null) return sanitised;
      const read = kind === "json" ? readJson : kind === "form" ? formReader(types) : kind === "text" ? readText : null;
      if (read === null) return null;
      const part = parts.get(kind) ?? judgeBody(rules(read));
      parts.set(kind, part);
      return part;
    },
  };
}
