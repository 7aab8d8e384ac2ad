import { type Attribute, type AttributeName, attributeName, bindAttribute } from "../attributes/attribute.ts";
import { IdentityHeader, type IdentityLine } from "../filters/request/identity.ts";
import { IdentityKeys } from "../filters/request/identity-keys.ts";
import { IdentityToken } from "../filters/request/identity-token.ts";
import { paramNames, parseTemplate } from "../matching/template.ts";
import { canonicalName, isReserved } from "../message/reserved-names.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, type Result } from "../support/result.ts";
import type { Path } from "./path.ts";
import { identityShape, type TokenEntry } from "./schema.ts";
import type { Work } from "./work.ts";

/** Section `identity`. */
export function compileIdentity(work: Work): void {
  const path: Path = ["identity"];
  if (work.reader.raw(path) === undefined) return;
  const { headers = {}, token } = work.reader.fields(identityShape, path);
  const seen = new Set<string>();
  for (const [name, text] of Object.entries(headers)) {
    const at = [...path, "headers", name];
    const canonical = canonicalName(name.toLowerCase());
    const attribute = attributeName(text);
    const fault = faultOfName(canonical, seen) ?? (attribute.ok ? faultOfAttribute(attribute.value) : attribute.error);
    seen.add(canonical);
    if (fault !== null) work.problem(fault.replace("NAME", name), at);
    else if (attribute.ok) {
      work.identity.push({ name: name.toLowerCase(), attribute: attribute.value, path: at, isUsed: false });
    }
  }
  if (token !== undefined) work.identityToken = compileToken(work, token, [...path, "token"], seen);
}

function faultOfName(canonical: string, seen: ReadonlySet<string>): string | null {
  if (isReserved(canonical)) return "postern writes 'NAME' itself; expected another name";
  return seen.has(canonical) ? "'NAME' is set twice; expected one spelling" : null;
}

/** What the client says of itself is no identity. */
function faultOfAttribute({ row, text }: AttributeName): string | null {
  if (!["request.headers", "query", "body"].includes(row.name)) return null;
  return `'${text}' is what the client says; expected what postern knows of the caller, as principal.id or jwt.tenant`;
}

/** `identity.token`. What a principal does not decide would make one token for each request. */
function compileToken(work: Work, token: TokenEntry, path: Path, taken: Set<string>): IdentityToken | null {
  const {
    header,
    audience,
    issuer = `postern:${work.service}`,
    lifetime: lifetimeMs = DEFAULTS.identityTokenMs,
  } = token;
  const name = header.toLowerCase();
  const nameFault = faultOfName(canonicalName(name), taken);
  if (nameFault !== null) work.problem(nameFault.replace("NAME", header), [...path, "header"]);
  const claims = new Map<string, Attribute>();
  for (const [claim, text] of Object.entries(token.claims ?? {})) {
    const bound = claimOf(work, claim, text);
    if (bound.ok) claims.set(claim, bound.value);
    else work.problem(bound.error, [...path, "claims", claim]);
  }
  if (nameFault !== null || claims.size < Object.keys(token.claims ?? {}).length) return null;
  if (work.admin.address === null) {
    work.warning("without 'admin: { address }' no service can ask for the keys that sign this", path);
  }
  const keys = work.acquisition.acquire(
    "identity keys",
    [String(lifetimeMs)],
    (world) => new IdentityKeys(lifetimeMs, world),
  );
  work.identityKeys = keys;
  return new IdentityToken({ header: name, issuer, audience, lifetimeMs, claims, keys, clock: work.inputs.clock });
}

/** Claims that postern says itself (RFC 9068 section 2.2). */
const OWN_CLAIMS = [
  "iss",
  "sub",
  "aud",
  "iat",
  "exp",
  "nbf",
  "jti",
  "client_id",
  "scope",
  "roles",
  "groups",
  "authenticator",
];

function claimOf(work: Work, claim: string, text: string): Result<Attribute, string> {
  if (OWN_CLAIMS.includes(claim)) return err(`postern says '${claim}' itself; expected another name`);
  const name = attributeName(text);
  if (!name.ok) return name;
  const scope = { phase: "rewrite", parameters: null, route: null, clock: work.inputs.clock } as const;
  if (name.value.row.from === "authorize") return bindAttribute(name.value, scope);
  return err(`'${text}' is of the request; expected what is of the caller, as principal.id or jwt.tenant`);
}

/** The headers as they are written on one route; one that says a path parameter is not written where there is none. */
export function identityLines(work: Work, template: string): readonly IdentityLine[] {
  const token = work.identityToken === null ? [] : [work.identityToken];
  if (work.identity.length === 0) return token;
  const parsed = parseTemplate(template);
  const parameters = parsed.ok ? paramNames(parsed.value) : null;
  const headers = work.identity.map((setting) => {
    const { name, attribute } = setting;
    const scope = { phase: "rewrite", parameters, route: template, clock: work.inputs.clock } as const;
    const bound = bindAttribute(attribute, scope);
    if (bound.ok) setting.isUsed = true;
    const where =
      attribute.row.name === "path" ? (parameters ?? []).join("/") : attribute.row.name === "route" ? template : "";
    const read = bound.ok ? bound.value.read : () => undefined;
    return new IdentityHeader(name, { ...attribute, type: attribute.row.type, read }, where);
  });
  return [...headers, ...token];
}

/** Stage: a parameter that no route has is a slip of the pen. */
export function checkIdentity(work: Work): void {
  if (!work.isWhole) return;
  for (const { attribute, path, isUsed } of work.identity) {
    if (!isUsed) work.problem(`no route has '${attribute.text}', so that this is never written`, path);
  }
}
