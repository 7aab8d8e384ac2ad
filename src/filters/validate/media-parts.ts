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
import { FORM } from "./parts.ts";
import type { ValidateSettings } from "./schema.ts";

/** Bodies of a media type that has rules of its own in place of a schema, and the most bytes that they may have. */
export function compileOwn(
  { range, own, path }: Media,
  settings: ValidateSettings,
  hold: Omit<HoldRules, "place">,
  context: RouteContext,
  compileSchema: (name: string, bytesMax: number, ...path: readonly string[]) => CompiledSchema | null,
): { readonly rules: MediaRules; readonly bytesMax: number } | null {
  const inner = within(context, path);
  if (own?.xml !== undefined) {
    const rules = { ...hold, place: inner.place("xml") };
    const compileOwnSchema = (name: string): CompiledSchema | null =>
      compileSchema(name, hold.bytesMax, ...path.map(String), "xml", "schema");
    const judge = compileXmlBody(own.xml, settings.errors !== "hidden", rules, inner, compileOwnSchema);
    return { rules: rulesOf(judge, settings), bytesMax: hold.bytesMax };
  }
  if (own?.form === undefined) return null;
  const { longBodies } = hold;
  const form: FormSettings = { ...own.form, maxBytes: own.form.maxBytes ?? settings.body?.maxBytes };
  const options = {
    contentType: [range],
    enforcePercent: settings.mode ?? 100,
    showsErrors: settings.errors !== "hidden",
    longBodies,
    compileWhole: (name: string, bytesMax: number): CompiledSchema | null =>
      compileSchema(name, bytesMax, ...path.map(String), "form", "schema"),
  };
  const { judge, watch, bytesMax } = FORM.get().compileForm(form, options, inner);
  return {
    rules: { ...rulesOf(judge, settings), watch },
    bytesMax: Math.max(bytesMax, settings.body?.maxBytes ?? DEFAULTS.bodyInspectedBytesMax),
  };
}

function rulesOf(judge: Part, { body }: ValidateSettings): MediaRules {
  const isMissing = ({ collectedBody, body: { announcedBytes } }: Exchange): boolean =>
    (collectedBody?.length ?? announcedBytes) === 0;
  const part: Part =
    body?.required === false ? (exchange) => (isMissing(exchange) ? CONTINUE : judge(exchange)) : judge;
  return { isJudged: true, takes: () => true, judge: () => part };
}

/** The context as a part of the settings sees it; how long a body may be is said for all of them at once. */
function within(context: RouteContext, prefix: readonly (string | number)[]): RouteContext {
  return {
    ...context,
    place: (...path) => context.place(...prefix, ...path),
    problem: (text, ...path) => context.problem(text, ...prefix, ...path),
    warning: (rule, text, ...path) => context.warning(rule, text, ...prefix, ...path),
    setBodyBytesMax: () => {},
  };
}
