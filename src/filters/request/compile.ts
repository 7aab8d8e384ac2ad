import { METHOD_PARAMETERS } from "../../bodies/method-parameters.ts";
import type { HeaderLine } from "../../decision/verdict.ts";
import { CERTIFICATE_LINES_HEADERS } from "../../message/certificate-lines.ts";
import { canonicalName, isReserved } from "../../message/reserved-names.ts";
import { defineFilter, type RouteContext } from "../filter.ts";
import { Later } from "../lazy.ts";
import { hasFilled, isFilled, placeholderIn } from "../placeholder.ts";
import type { IdentityLine } from "./identity.ts";
import { type RequestSettings, requestSchema } from "./schema.ts";

/** Only policies that fill something in load what it takes. */
export const FILLED_HEADERS = new Later("filled headers", () => import("./filled-header.ts"));

/** `request`: which headers leave a request on its way to the service, and which are put on. */
export const requestFilter = defineFilter<RequestSettings | undefined>({
  name: "request",
  defaults: "override",
  schema: requestSchema.optional(),
  always: true,
  prepare: (settings) => (settings === undefined || hasFilled(settings) ? FILLED_HEADERS.prepare() : undefined),
  compile(settings, context) {
    checkNamed(settings ?? {}, context);
    const filled: IdentityLine[] = [];
    const clientCertificate = [...new Set(settings?.clientCertificate ?? [])];
    context.setRequestRules({
      clientCertificate,
      keepCredentials: settings?.keepCredentials ?? false,
      removeHeaders: settings?.removeHeaders ?? [],
      setHeaders: compileSetHeaders(settings?.setHeaders ?? {}, filled, context),
      identity: filled.length === 0 ? context.identity : [...context.identity, ...filled],
      methodParameters: settings?.methodParameters ?? METHOD_PARAMETERS,
      forward: settings?.forward ?? null,
      keepHeaders: settings?.keepHeaders ?? [],
      declaredHeaders: [...context.declaredHeaders],
    });
  },
});

/** Lines that are the same for every request; those that are not are added to `filled`. */
function compileSetHeaders(
  lines: Readonly<Record<string, string>>,
  filled: IdentityLine[],
  context: RouteContext,
): HeaderLine[] {
  const setHeaders: HeaderLine[] = [];
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(lines)) {
    const lower = name.toLowerCase();
    const own = context.ownText(value);
    if (isReserved(canonicalName(lower)))
      context.problem(`postern writes '${name}' itself; expected another name`, "setHeaders", name);
    else if (context.identity.some((header) => canonicalName(header.name) === canonicalName(lower)))
      context.problem(`'${name}' is written by 'identity'; expected one of the two`, "setHeaders", name);
    else if (seen.has(lower)) context.problem(`'${name}' is set twice; expected one spelling`, "setHeaders", name);
    else if (isFilled(own) && context.template === "defaults") continue;
    else if (isFilled(own)) {
      const header = FILLED_HEADERS.get().filledHeader(lower, value, context);
      if (header.ok) filled.push(header.value);
      else context.problem(header.error, "setHeaders", name);
    } else setHeaders.push([lower, value]);
    const filler = placeholderIn(own);
    if (filler !== undefined) {
      context.warning(
        "placeholder_not_filled",
        `'${filler}' is not filled in: the service gets these very characters; expected the name of an attribute in single braces, as in {jwt.tenant}`,
        "setHeaders",
        name,
      );
    }
    seen.add(lower);
  }
  return setHeaders;
}

/** Names that the policy lets pass in vain: what is said elsewhere of them, in whatever spelling, holds. */
function checkNamed(settings: RequestSettings, context: RouteContext): void {
  const off = new Map<string, string>();
  const judged = new Map<string, string>();
  for (const [, authenticator] of context.authenticators) {
    for (const name of ["authorization", ...authenticator.credentialHeaders]) {
      if (settings.keepCredentials === true) judged.set(canonicalName(name), name);
      else off.set(canonicalName(name), "carries credentials; expected 'keepCredentials: true'");
    }
  }
  for (const name of context.declaredHeaders) judged.set(canonicalName(name), name);
  for (const format of settings.clientCertificate ?? []) {
    for (const name of CERTIFICATE_LINES_HEADERS[format]) off.set(name, "is what 'clientCertificate' puts on");
  }
  for (const name of settings.removeHeaders ?? []) off.set(canonicalName(name), "is in 'removeHeaders'");
  for (const name of Object.keys(settings.setHeaders ?? {})) {
    off.set(canonicalName(name.toLowerCase()), "is in 'setHeaders'");
  }
  for (const { name } of context.identity) off.set(canonicalName(name), "is written by 'identity'");
  for (const key of ["keepHeaders", "forward"] as const) {
    for (const [at, name] of (settings[key] ?? []).entries()) {
      const canonical = canonicalName(name);
      const other = judged.get(canonical) ?? name;
      const fault = isReserved(canonical)
        ? "is postern's own to write, and no client's reaches the service; expected another name"
        : (off.get(canonical) ?? (other === name ? null : `is another spelling of '${other}', which the policy reads`));
      if (fault !== null) context.problem(`'${name}' ${fault}`, key, at);
    }
  }
}
