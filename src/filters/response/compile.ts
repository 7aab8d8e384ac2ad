import type { HeaderLine } from "../../decision/verdict.ts";
import { HOP_BY_HOP } from "../../message/reserved-names.ts";
import { hasKey } from "../../support/has-key.ts";
import { type Steps, stepsOf } from "../../support/turns.ts";
import { defineFilter, type RouteContext } from "../filter.ts";
import { placeholderIn } from "../placeholder.ts";
import { contextOfPart, type PartContext } from "./part.ts";
import { CONDITIONS, PART_LOADERS, PART_NAMES, PARTS, type PartName, READING, type SettingsOfParts } from "./parts.ts";
import { type ResponseSettings, responseSchema } from "./schema.ts";

/** They tell an attacker what to try, and nobody else anything. */
const TELLTALES = ["server", "x-powered-by", "x-aspnet-version", "x-aspnetmvc-version", "x-generator", "via"] as const;

/** Always, whatever the service says: there is no reason to let a browser guess. */
const API_SET: readonly HeaderLine[] = [["x-content-type-options", "nosniff"]];

/** Right for answers that no browser shows as a page; a service that serves pages sends its own. */
const API_DEFAULTS: readonly HeaderLine[] = [
  ["cache-control", "no-store"],
  ["content-security-policy", "default-src 'none'; frame-ancestors 'none'"],
  ["referrer-policy", "no-referrer"],
  ["x-frame-options", "DENY"],
];

const API_SECURE: readonly HeaderLine[] = [["strict-transport-security", "max-age=31536000"]];

/** `response`: what of an answer of the service reaches the client. */
export const responseFilter = defineFilter<ResponseSettings | undefined>({
  name: "response",
  defaults: "override",
  get schema() {
    return responseSchema().optional();
  },
  parts: PART_LOADERS,
  prepare: (settings) => (settings === undefined || hasKey(settings, "when") ? CONDITIONS.prepare() : undefined),
  always: true,
  *compile(settings, context) {
    const own = compileSetHeaders(settings?.setHeaders ?? {}, context);
    const names = new Set(own.map(([name]) => name));
    const without = (lines: readonly HeaderLine[]): readonly HeaderLine[] =>
      settings?.securityHeaders === "off" ? [] : lines.filter(([name]) => !names.has(name));
    context.setResponseRules({
      removeHeaders: new Set([...TELLTALES, ...(settings?.removeHeaders ?? [])]),
      setHeaders: [...own, ...without(API_SET)],
      addHeaders: [],
      defaultHeaders: without(API_DEFAULTS),
      setHeadersSecure: without(API_SECURE),
    });
    if (settings !== undefined) yield* compileParts(settings, context);
  },
});

function compileSetHeaders(lines: Readonly<Record<string, string>>, context: RouteContext): HeaderLine[] {
  const compiled = new Map<string, string>();
  for (const [name, value] of Object.entries(lines)) {
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower)) context.problem(`postern writes '${name}' itself`, "setHeaders", name);
    else if (compiled.has(lower)) context.problem(`'${name}' is set twice; expected one spelling`, "setHeaders", name);
    else compiled.set(lower, value);
    const filler = placeholderIn(value);
    if (filler !== undefined)
      context.warning(`'${filler}' is not filled in: the client gets these very characters`, "setHeaders", name);
  }
  return [...compiled];
}

/** Checks of all parts that the settings have. */
export function* compileParts(settings: ResponseSettings, context: RouteContext): Steps<void> {
  const names = PART_NAMES.filter((name) => settings[name] !== undefined);
  if (names.length === 0) return;
  const reading = READING.get().readingOf(settings, context.place());
  context.setAnswerReading(reading);
  for (const name of names) {
    const own = settings[name];
    if (own !== undefined) yield* compileOne(name, own, contextOfPart(context, name, reading));
  }
}

function* compileOne<Name extends PartName>(
  name: Name,
  settings: SettingsOfParts[Name],
  context: PartContext,
): Steps<void> {
  yield* stepsOf(PARTS[name].get().compile(settings, context));
}
