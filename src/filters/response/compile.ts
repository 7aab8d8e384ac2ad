import { CONTINUE, type HeaderLine } from "../../decision/verdict.ts";
import { HOP_BY_HOP } from "../../message/reserved-names.ts";
import { hasKey } from "../../support/has-key.ts";
import { type Steps, stepsOf } from "../../support/turns.ts";
import { defineFilter, type RouteContext } from "../filter.ts";
import { hasFilled, isFilled, placeholderIn } from "../placeholder.ts";
import { FILLED_HEADERS } from "../request/compile.ts";
import { PrivateAnswers, SHARED_CACHE_HEADERS } from "./cache.ts";
import { contextOfPart, type PartContext } from "./part.ts";
import {
  both,
  CONDITIONS,
  PART_LOADERS,
  PART_NAMES,
  PARTS,
  type PartName,
  READING,
  type SettingsOfParts,
} from "./parts.ts";
import { type ResponseSettings, responseSchema } from "./schema.ts";
import { compileSecurityHeaders } from "./security-headers.ts";

/**
 * They tell an attacker what to try, and nobody else anything: names that OWASP's Secure Headers project lists, as far as they are of
 * a product alone.
 */
const TELLTALES = [
  "liferay-portal",
  "microsoftsharepointteamservices",
  "oraclecommercecloud-version",
  "pega-host",
  "powered-by",
  "server",
  "via",
  "x-application-context",
  "x-aspnet-version",
  "x-aspnetmvc-version",
  "x-backend-server",
  "x-beserver",
  "x-calculatedbetarget",
  "x-cf-powered-by",
  "x-chromelogger-data",
  "x-chromephp-data",
  "x-cocoon-version",
  "x-content-encoded-by",
  "x-debug-token",
  "x-debug-token-link",
  "x-diaginfo",
  "x-feserver",
  "x-generated-by",
  "x-generator",
  "x-jitsi-release",
  "x-joomla-version",
  "x-mod-pagespeed",
  "x-owa-version",
  "x-page-speed",
  "x-php-version",
  "x-powered-by",
  "x-powered-by-plesk",
  "x-powered-cms",
  "x-servername",
  "x-sourcefiles",
  "x-turbo-charged-by",
  "x-umbraco-version",
  "x-varnish-backend",
  "x-varnish-server",
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
  prepare: (settings) =>
    both(
      settings === undefined || hasKey(settings, "when") ? CONDITIONS.prepare() : undefined,
      settings === undefined || hasFilled(settings) ? FILLED_HEADERS.prepare() : undefined,
    ),
  always: true,
  *compile(settings, context) {
    const filled: string[] = [];
    const own = compileSetHeaders(settings?.setHeaders ?? {}, filled, context);
    if (filled.length > 0) compileFilled(settings?.setHeaders ?? {}, filled, context);
    const names = new Set([...own.map(([name]) => name), ...filled.map((name) => name.toLowerCase())]);
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

/** Lines that are the same for every answer; names of those that are not are added to `filled`. */
function compileSetHeaders(
  lines: Readonly<Record<string, string>>,
  filled: string[],
  context: RouteContext,
): HeaderLine[] {
  const compiled = new Map<string, string>();
  for (const [name, value] of Object.entries(lines)) {
    const lower = name.toLowerCase();
    const own = context.ownText(value);
    if (HOP_BY_HOP.has(lower)) context.problem(`postern writes '${name}' itself`, "setHeaders", name);
    else if (compiled.has(lower)) context.problem(`'${name}' is set twice; expected one spelling`, "setHeaders", name);
    else if (isFilled(own)) filled.push(name);
    else compiled.set(lower, value);
    const filler = placeholderIn(own);
    if (filler !== undefined)
      context.warning(
        "placeholder_not_filled",
        `'${filler}' is not filled in: the client gets these very characters; expected the name of an attribute in single braces, as in {jwt.tenant}`,
        "setHeaders",
        name,
      );
  }
  return [...compiled];
}

/** What an answer says of its request is known once that has been let through: a denial does not say it. */
function compileFilled(lines: Readonly<Record<string, string>>, names: readonly string[], context: RouteContext): void {
  if (!isOfRoute(context)) return;
  const headers = names.flatMap((name) => {
    const header = FILLED_HEADERS.get().filledHeader(name.toLowerCase(), lines[name] ?? "", context);
    if (header.ok) return [header.value];
    context.problem(header.error, "setHeaders", name);
    return [];
  });
  context.removeResponseHeaders(names.map((name) => name.toLowerCase()));
  context.addCheck({
    name: "response",
    phase: "rewrite",
    place: context.place("setHeaders"),
    enforcePercent: 100,
    evaluate: (exchange) => {
      const untold: string[] = [];
      for (const header of headers) exchange.answerLines += header.line(exchange, untold);
      return CONTINUE;
    },
    explain: () => `the answer gets ${names.join(", ")}`,
  });
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
