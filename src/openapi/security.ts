import { DEFAULTS } from "../support/defaults.ts";
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
    const kind = kindOf(spot, findings);
    if (kind === null) continue;
    const place = spot.text("in");
    schemes.set(name, {
      name,
      kind,
      in: kind === "apiKey" && (place === "header" || place === "query" || place === "cookie") ? place : null,
      parameter: kind === "apiKey" ? spot.text("name") : null,
      openIdConnectUrl: spot.text("openIdConnectUrl"),
      tokenUrl: tokenUrlOf(spot),
      place: written.place,
    });
  }
  return schemes;
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
