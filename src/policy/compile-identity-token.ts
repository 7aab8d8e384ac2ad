import { randomUUID } from "node:crypto";
import { type Attribute, type AttributeName, attributeName, bindAttribute } from "../attributes/attribute.ts";
import type { IdentityLine } from "../filters/request/identity.ts";
import { IdentityKeys } from "../filters/request/identity-keys.ts";
import { IdentityToken } from "../filters/request/identity-token.ts";
import { TransactionToken } from "../filters/request/transaction-token.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, type Result } from "../support/result.ts";
import type { IdentitySetting, RoutePlace } from "./identity-setting.ts";
import type { Path } from "./path.ts";
import type { TokenEntry } from "./section-schema.ts";
import type { Work } from "./work.ts";

/** The token's line on a route. */
export type TokenLine = (at: RoutePlace) => IdentityLine;

type Common = Pick<
  ConstructorParameters<typeof IdentityToken>[0],
  "header" | "issuer" | "audience" | "lifetimeMs" | "keys" | "clock"
>;

/** `identity.token`, but for the name of its header; null with problems reported. */
export function compileToken(work: Work, header: string, token: TokenEntry, path: Path): TokenLine | null {
  const { audience, issuer = `postern:${work.service}`, lifetime: lifetimeMs = DEFAULTS.identityTokenMs } = token;
  const isTransaction = token.profile === "transaction";
  const foreign = isTransaction ? (["claims"] as const) : (["tctx", "rctx"] as const);
  const stray = foreign.filter((key) => token[key] !== undefined);
  for (const key of stray) {
    const wanted = isTransaction ? "'tctx' or 'rctx'" : "'claims', or 'profile: transaction'";
    work.problem(`tokens of this profile have no such thing; expected ${wanted}`, [...path, key]);
  }
  const common = (): Common => ({
    header,
    issuer,
    audience,
    lifetimeMs,
    keys: keysOf(work, lifetimeMs, path),
    clock: work.inputs.clock,
  });
  if (isTransaction) return stray.length > 0 ? null : transactionLine(work, token, common, path);
  const claims = new Map<string, Attribute>();
  for (const [claim, text] of Object.entries(token.claims ?? {})) {
    const bound = claimOf(work, claim, text);
    if (bound.ok) claims.set(claim, bound.value);
    else work.problem(bound.error, [...path, "claims", claim]);
  }
  if (claims.size < Object.keys(token.claims ?? {}).length || stray.length > 0) return null;
  const line = new IdentityToken({ ...common(), claims });
  return () => line;
}

function keysOf(work: Work, lifetimeMs: number, path: Path): IdentityKeys {
  if (work.admin.address === null) {
    work.warning(
      "keys_unpublished",
      "without 'admin: { address }' no service can ask for the keys that sign this",
      path,
    );
  }
  const keys = work.acquisition.acquire(
    "identity keys",
    [String(lifetimeMs)],
    (world) => new IdentityKeys(lifetimeMs, world),
  );
  work.identityKeys = keys;
  return keys;
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

/** What a principal does not decide would make one token for each request. */
function claimOf(work: Work, claim: string, text: string): Result<Attribute, string> {
  if (OWN_CLAIMS.includes(claim)) return err(`postern says '${claim}' itself; expected another name`);
  const name = attributeName(text);
  if (!name.ok) return name;
  const scope = { phase: "rewrite", parameters: null, route: null, clock: work.inputs.clock } as const;
  if (name.value.row.from === "authorize") return bindAttribute(name.value, scope);
  return err(`'${text}' is of the request; expected what is of the caller, as principal.id or jwt.tenant`);
}

/** Who asks and from where, where the policy says nothing else. */
const REQUESTER = { req_ip: "client.address", authn: "principal.type" } as const;

function transactionLine(
  work: Work,
  { tctx = {}, rctx = REQUESTER }: TokenEntry,
  common: () => Common,
  path: Path,
): TokenLine | null {
  const about = settingsOf(work, tctx, [...path, "tctx"]);
  const requester = settingsOf(work, rctx, [...path, "rctx"]);
  if (about === null || requester === null) return null;
  work.identityContext.push(...about, ...requester);
  const options = { ...common(), newId: () => randomUUID() };
  return (at) => {
    const bind = (settings: readonly IdentitySetting[]) => new Map(settings.flatMap((one) => boundOn(one, at, work)));
    return new TransactionToken({ ...options, tctx: bind(about), rctx: bind(requester), route: at.template });
  };
}

function settingsOf(work: Work, entries: Readonly<Record<string, string>>, path: Path): IdentitySetting[] | null {
  const settings: IdentitySetting[] = [];
  for (const [claim, text] of Object.entries(entries)) {
    const name = attributeName(text);
    const fault = name.ok ? faultOfAttribute(name.value) : name.error;
    if (fault !== null) work.problem(fault, [...path, claim]);
    else if (name.ok) settings.push({ name: claim, attribute: name.value, path: [...path, claim], isUsed: false });
  }
  return settings.length === Object.keys(entries).length ? settings : null;
}

/** A parameter that this route does not have is not there. */
function boundOn(setting: IdentitySetting, at: RoutePlace, work: Work): (readonly [string, Attribute])[] {
  const scope = { phase: "rewrite", parameters: at.parameters, route: at.template, clock: work.inputs.clock } as const;
  const bound = bindAttribute(setting.attribute, scope);
  if (bound.ok) setting.isUsed = true;
  return bound.ok ? [[setting.name, bound.value]] : [];
}

/** What the client says of itself is no identity. */
export function faultOfAttribute({ row, text }: AttributeName): string | null {
  if (!["request.headers", "query", "body"].includes(row.name)) return null;
  return `'${text}' is what the client says; expected what postern knows of the caller, as principal.id or jwt.tenant`;
}
