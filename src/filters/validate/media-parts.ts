import { CONTINUE } from "../../decision/verdict.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { CompiledSchema } from "../../schema/compile.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { RouteContext } from "../filter.ts";
import type { MediaRules } from "./evaluate.ts";
import type { FormSettings } from "./form/schema.ts";
import type { HoldRules, Part } from "./held-body.ts";
import { compileXmlBody } from "./languages.ts";
import type { Media } from "./media.ts";
import type { PartsSettings } from "./multipart/schema.ts";
import { FORM, PARTS } from "./parts.ts";
import type { ValidateSettings } from "./schema.ts";

type Path = readonly (string | number)[];

/** Bodies of a media type that has rules of its own in place of a schema, and the most bytes that they may have. */
export function compileOwn(
  { range, own, path }: Media,
  settings: ValidateSettings,
  hold: Omit<HoldRules, "place">,
  context: RouteContext,
  compileSchema: (name: string, bytesMax: number, ...path: Path) => CompiledSchema | null,
): { readonly rules: MediaRules; readonly bytesMax: number } | null {
  const inner = within(context, path);
  if (own?.xml !== undefined) {
    const rules = { ...hold, place: inner.place("xml") };
    const compileOwnSchema = (name: string): CompiledSchema | null =>
      compileSchema(name, hold.bytesMax, ...path, "xml", "schema");
    const judge = compileXmlBody(own.xml, settings.errors !== "hidden", rules, inner, compileOwnSchema);
    return { rules: rulesOf(judge, settings), bytesMax: hold.bytesMax };
  }
  const { longBodies } = hold;
  const usual = { enforcePercent: settings.mode ?? 100, showsErrors: settings.errors !== "hidden", longBodies };
  const compileAt = (name: string, bytesMax: number, ...inside: Path): CompiledSchema | null =>
    compileSchema(name, bytesMax, ...path, ...inside);
  const longest = (bytesMax: number): number =>
    Math.max(bytesMax, settings.body?.maxBytes ?? DEFAULTS.bodyInspectedBytesMax);
  if (own?.parts !== undefined) {
    const parts: PartsSettings = { ...own.parts, maxBytes: own.parts.maxBytes ?? settings.body?.maxBytes };
    const { judge, watch, bytesMax } = PARTS.get().compileParts(parts, { ...usual, compileSchema: compileAt }, inner);
    return { rules: { ...rulesOf(judge, settings), watch }, bytesMax: longest(bytesMax) };
  }
  if (own?.form === undefined) return null;
  const form: FormSettings = { ...own.form, maxBytes: own.form.maxBytes ?? settings.body?.maxBytes };
  const options = { ...usual, contentType: [range], compileSchema: compileAt };
  const { judge, watch, bytesMax } = FORM.get().compileForm(form, options, inner);
  return { rules: { ...rulesOf(judge, settings), watch }, bytesMax: longest(bytesMax) };
}

function rulesOf(judge: Part, { body }: ValidateSettings): MediaRules {
  const isMissing = ({ collectedBody, body: { announcedBytes } }: Exchange): boolean =>
    (collectedBody?.length ?? announcedBytes) === 0;
  const part: Part =
    body?.required === false ? (exchange) => (isMissing(exchange) ? CONTINUE : judge(exchange)) : judge;
  return { isJudged: true, takes: () => true, judge: () => part };
}

/** The context as a part of the settings sees it; how long a body may be is said for all of them at once. */
function within(context: RouteContext, prefix: Path): RouteContext {
  return {
    ...context,
    place: (...path) => context.place(...prefix, ...path),
    problem: (text, ...path) => context.problem(text, ...prefix, ...path),
    warning: (rule, text, ...path) => context.warning(rule, text, ...prefix, ...path),
    setBodyBytesMax: () => {},
  };
}
