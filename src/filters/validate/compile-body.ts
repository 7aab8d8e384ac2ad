import { MediaRanges } from "../../bodies/media-ranges.ts";
import { isAnyText, isForm } from "../../bodies/media-type.ts";
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
import { compileLanguage, languageOf } from "./languages.ts";
import { longBodies } from "./long-bodies.ts";
import { checkMedia, type Media, mediaOf } from "./media.ts";
import { compileOwn } from "./media-parts.ts";
import type { SyncPart } from "./parameter-parts.ts";
import { INFLATE, ITEMS, SANITISE } from "./parts.ts";
import { checkSanitising, isSanitising } from "./sanitising.ts";
import type { ValidateSettings } from "./schema.ts";

/** What is asked of bodies: of their head, and of their bytes (null for nothing). */
export interface CompiledBody {
  readonly head: readonly SyncPart[];
  readonly whole: Part | null;
  /** Who looks at the body as it streams; null for nobody. */
  readonly watch: Check["watch"] | null;
}

type Path = readonly (string | number)[];

export function* compileBody(
  settings: ValidateSettings,
  enforcePercent: number,
  context: RouteContext,
  compileSchema: CompileBodySchema,
): Steps<CompiledBody> {
  const language = languageOf(settings);
  const media = mediaOf(settings, language);
  checkMedia(settings, media ?? [], context);
  checkSanitising(settings, media ?? [], context);
  const isHeld = language !== null || (media?.some(isHeldWhole) ?? false);
  const isWatched =
    media?.some(({ isItems, own }) => isItems || own?.form !== undefined || own?.parts !== undefined) ?? false;
  const isJudged = isHeld || isWatched;
  const usualBytesMax = isHeld ? DEFAULTS.bodyInspectedBytesMax : isWatched ? DEFAULTS.bodyBytesMax : null;
  const bytesMax = settings.body?.maxBytes ?? usualBytesMax;
  const hold = isJudged ? holdOf(bytesMax ?? 0, isHeld, enforcePercent, context) : null;
  const ranges = new MediaRanges(media?.map(({ range }) => range) ?? []);
  const compileAt = (name: string, bytesMax: number, ...path: Path): CompiledSchema | null =>
    compileSchemaAt(name, path, settings, bytesMax, context, compileSchema);
  const owns = hold === null ? [] : (media ?? []).map((one) => compileOwn(one, settings, hold, context, compileAt));
  const rules =
    hold === null
      ? (media ?? []).map(() => UNJUDGED)
      : compileMedia(media ?? [], settings, hold, context, compileSchema).map((one, at) => owns[at]?.rules ?? one);
  const longest = owns.reduce<number | null>(
    (max, own) => (own === null ? max : Math.max(max ?? 0, own.bytesMax)),
    bytesMax,
  );
  // A bound that is only tried out must not cut bodies off.
  if (longest !== null && enforcePercent === 100) context.setBodyBytesMax(longest);
  const head = compileHead(settings, media, ranges, rules, longest, isJudged, context);
  if (language === null) return { head, whole: judgeByType(ranges, rules), watch: watchByType(ranges, rules) };
  if (hold === null) return { head, whole: null, watch: null };
  const compileIn = (name: string, ...path: readonly string[]) => compileAt(name, hold.bytesMax, ...path);
  return { head, whole: yield* compileLanguage(language, settings, hold, context, compileIn), watch: null };
}

function isHeldWhole({ schema, isItems, own }: Media): boolean {
  return (schema !== null && !isItems) || own?.xml !== undefined;
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
  else if (settings.contentEncoding === "inflate" && settings.leaks === undefined)
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
    context.describePart({
      where: "body",
      name: range,
      isRequired: settings.body?.required ?? true,
      schema: compiled,
      style: null,
    });
    // Where another schema may have judged the body, none can promise anything of it.
    if (media.length === 1 && !isItems && (settings.mode ?? 100) === 100)
      context.promise({ where: "body", name: "", schema: compiled.root });
    if (isItems) return ITEMS.get().compileItems(compiled, path, settings, hold, context);
    const shared = known.get(schema) ?? rulesOf(compiled, path, settings, hold, context);
    known.set(schema, shared);
    const fault = isForm(range) ? formFault(textTypesOf([compiled.root])) : null;
    if (fault !== null) context.problem(fault, ...path);
    if (isAnyText(range) && !shared.takes("text"))
      context.problem(`the schema takes no text, and a body of '${range}' is one`, ...path);
    return shared;
  });
}

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
