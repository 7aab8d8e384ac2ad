import type { HeaderLine } from "../../decision/verdict.ts";
import { HOP_BY_HOP } from "../../message/reserved-names.ts";
import { hasKey } from "../../support/has-key.ts";
import { type Steps, stepsOf } from "../../support/turns.ts";
import { defineFilter, type RouteContext } from "../filter.ts";
import { placeholderIn } from "../placeholder.ts";
import { PrivateAnswers, SHARED_CACHE_HEADERS } from "./cache.ts";
import { contextOfPart, type PartContext } from "./part.ts";
import { CONDITIONS, PART_LOADERS, PART_NAMES, PARTS, type PartName, READING, type SettingsOfParts } from "./parts.ts";
import { type ResponseSettings, responseSchema } from "./schema.ts";
import { compileSecurityHeaders } from "./security-headers.ts";

/** They tell an attacker what to try, and nobody else anything. */
const TELLTALES = [
  "server",
  "via",
  "x-aspnet-version",
  "x-aspnetmvc-version",
  "x-backend-server",
  "x-chromelogger-data",
  "x-chromephp-data",
  "x-debug-token",
  "x-debug-token-link",
  "x-generator",
  "x-powered-by",
] as const;

const NO_STORE: HeaderLine = ["cache-control", "no-store"];

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
    const security = compileSecurityHeaders(settings?.securityHeaders, names);
    const kept = isOfRoute(context) ? settings?.cache : "shared";
    const isShared = kept === "shared" || (kept === undefined && context.isPublic);
    const noStore: readonly HeaderLine[] = kept === "no-store" && !names.has("cache-control") ? [NO_STORE] : [];
    context.setResponseRules({
      edits: [],
      allowHeaders: isOfRoute(context) ? (settings?.allowHeaders ?? null) : null,
      removeHeaders: new Set([
        ...TELLTALES,
        ...(isShared ? [] : SHARED_CACHE_HEADERS),
        ...(kept === "no-store" ? ["expires"] : []),
        ...(settings?.removeHeaders ?? []),
      ]),
      setHeaders: [...own, ...security.set, ...noStore],
      addHeaders: [],
      defaultHeaders: security.defaults.filter(([name]) => noStore.every(([other]) => other !== name)),
      setHeadersSecure: security.secureDefaults,
    });
    if (kept === "private" || kept === undefined) {
      context.addHeadEdit(
        new PrivateAnswers({
          vary: context.isPublic ? [] : [...context.credentialHeaders].sort(),
          cookiesAlone: context.isPublic && kept === undefined,
          isSaid: security.defaults.every(([name]) => name !== "cache-control"),
        }),
      );
    }
    if (settings !== undefined) yield* compileParts(settings, context);
  },
});

/** What the defaults say of all routes rewrites postern's own answers alone, which say how they may be kept. */
function isOfRoute({ template }: RouteContext): boolean {
  return template !== "defaults";
}

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
