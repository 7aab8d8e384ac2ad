import { DEFAULTS } from "../support/defaults.ts";
import { MUTUAL_TLS_EXTENSION } from "./extensions.ts";
import type { Findings } from "./findings.ts";
import type { Reading } from "./media.ts";
import type { Requirement, SchemeKind, SecurityScheme } from "./operation.ts";
import { isMembers, type Spot } from "./spot.ts";

/** `components.securitySchemes`. */
export function schemesOf(root: Spot, { references, findings }: Reading): ReadonlyMap<string, SecurityScheme> {
  const schemes = new Map<string, SecurityScheme>();
  for (const [name, written] of root.at("components")?.at("securitySchemes")?.all() ?? []) {
    const spot = references.follow(written, `what asks for '${name}' cannot be met`);
    if (spot === null) continue;
    const kind = isCognito(spot) ? "bearer" : kindOf(spot, findings);
    if (kind === null) continue;
    const place = spot.text("in");
    schemes.set(name, {
      name,
      kind,
      in: kind === "apiKey" && (place === "header" || place === "query" || place === "cookie") ? place : null,
      parameter: kind === "apiKey" ? spot.text("name") : null,
      openIdConnectUrl: spot.text("openIdConnectUrl"),
      tokenUrl: tokenUrlOf(spot),
      ...tokensOf(spot),
      place: written.place,
    });
  }
  const mutual = root.at(MUTUAL_TLS_EXTENSION);
  if (mutual?.value === "mandatory") schemes.set(MUTUAL_TLS_EXTENSION, certificateScheme(mutual));
  return schemes;
}

/** AWS exports the tokens of a pool of users as a key in `Authorization`, and lists their scopes with it. */
function isCognito(spot: Spot): boolean {
  return spot.text("x-amazon-apigateway-authtype") === "cognito_user_pools";
}

const POOL = /^arn:[a-z-]+:cognito-idp:([a-z0-9-]+):\d+:userpool\/([\w-]+)$/;

/** Null for several pools: an authenticator has one issuer. */
function poolIssuer(authorizer: Spot | null): string | null {
  const pools = authorizer?.members["providerARNs"];
  const [, region, pool] = (Array.isArray(pools) && pools.length === 1 && POOL.exec(String(pools[0]))) || [];
  return pool === undefined ? null : `https://cognito-idp.${region}.amazonaws.com/${pool}`;
}

/** What AWS and Google know of tokens: `x-amazon-apigateway-authorizer`, `x-google-issuer` and `x-google-audiences`. */
function tokensOf(spot: Spot): Pick<SecurityScheme, "issuer" | "audience"> {
  const authorizer = spot.at("x-amazon-apigateway-authorizer");
  const jwt = authorizer?.at("jwtConfiguration") ?? null;
  const audience = jwt?.members["audience"] ?? spot.text("x-google-audiences")?.split(/ *, */) ?? [];
  const list = Array.isArray(audience) ? audience : [audience];
  return {
    issuer: jwt?.text("issuer") ?? poolIssuer(authorizer) ?? spot.text("x-google-issuer"),
    audience: list.filter((one): one is string => typeof one === "string" && one !== ""),
  };
}

function certificateScheme({ place }: Spot): SecurityScheme {
  const unsaid = { in: null, parameter: null, openIdConnectUrl: null, tokenUrl: null, issuer: null, audience: [] };
  return { name: MUTUAL_TLS_EXTENSION, kind: "mutualTLS", ...unsaid, place };
}

/** The same alternatives, each of which asks for a client certificate as well. */
export function withCertificate(security: readonly Requirement[] | null, { place }: Spot): readonly Requirement[] {
  const asked = { name: MUTUAL_TLS_EXTENSION, scopes: [], place };
  if (security === null || security.length === 0) return [{ schemes: [asked], place }];
  return security.map((requirement) => ({ ...requirement, schemes: [asked, ...requirement.schemes] }));
}

function tokenUrlOf(spot: Spot): string | null {
  for (const [, flow] of spot.at("flows")?.all() ?? []) {
    const url = flow.text("tokenUrl") ?? flow.text("authorizationUrl");
    if (url !== null) return url;
  }
  return null;
}

function kindOf(spot: Spot, findings: Findings): SchemeKind | null {
  const type = spot.text("type");
  switch (type) {
    case "oauth2":
    case "openIdConnect":
    case "apiKey":
    case "mutualTLS":
      return type;
    case "http": {
      const scheme = spot.text("scheme")?.toLowerCase();
      return scheme === "bearer" || scheme === "basic" ? scheme : "http";
    }
    default:
      findings.warning(
        spot.at("type")?.place ?? spot.place,
        "'type' is expected to be apiKey, http, mutualTLS, oauth2 or openIdConnect; what asks for this scheme cannot be met",
      );
      return null;
  }
}

/** `security` of an operation or of the whole document; null where nothing is said. */
export function securityAt(spot: Spot | null, { findings }: Reading): readonly Requirement[] | null {
  if (spot === null) return null;
  if (!Array.isArray(spot.value)) {
    findings.problem(spot.place, "'security' is expected to be a list of schemes, as in [{ oauth: [orders:read] }]");
    return null;
  }
  const requirements: Requirement[] = [];
  for (const [, written] of spot.all()) {
    if (!isMembers(written.value)) {
      findings.problem(written.place, "expected schemes with their scopes, as in { oauth: [orders:read] }");
      continue;
    }
    const schemes = [...written.all()].map(([name, scopes]) => {
      if (!Array.isArray(scopes.value)) findings.problem(scopes.place, `expected a list of scopes, as in ${name}: []`);
      const list = Array.isArray(scopes.value) ? scopes.value.filter((scope) => typeof scope === "string") : [];
      return { name, scopes: [...new Set(list)], place: scopes.place };
    });
    requirements.push({ schemes, place: written.place });
  }
  if (requirements.length > DEFAULTS.openapiAlternativesMax) {
    findings.problem(spot.place, `more than ${DEFAULTS.openapiAlternativesMax} alternatives`);
  }
  return requirements.slice(0, DEFAULTS.openapiAlternativesMax);
}
