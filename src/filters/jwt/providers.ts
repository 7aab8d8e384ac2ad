import { GENERAL_PLACES } from "./principal.ts";
import { type ProviderName, TENANT } from "./provider-names.ts";
import type { JwtSettings } from "./schema.ts";

/** Settings with everything said: what the policy leaves open is the provider's usual way, else the general one. */
export interface FullSettings
  extends Omit<JwtSettings, "issuer" | "algorithms" | "scopesFrom" | "rolesFrom" | "groupsFrom" | "audienceFrom"> {
  /** None where `sub` says whose the token is, as in SPIFFE. */
  readonly issuers: readonly string[];
  readonly algorithms: readonly string[];
  readonly scopesFrom: readonly string[];
  readonly rolesFrom: readonly string[];
  readonly groupsFrom: readonly string[];
  readonly audienceFrom: readonly string[];
  readonly idTokens: boolean;
}

/** What a provider's tokens are like where the policy does not say otherwise. Places stand for an issuer that is not named. */
interface Preset {
  readonly issuers?: (settings: JwtSettings) => readonly string[];
  readonly jwks?: NonNullable<JwtSettings["jwks"]>;
  readonly algorithms: readonly string[];
  readonly scopesFrom?: readonly string[];
  readonly rolesFrom?: (settings: JwtSettings) => readonly string[];
  readonly groupsFrom?: readonly string[];
  readonly audienceFrom?: readonly string[];
  readonly idTokens?: boolean;
}

const at = (url: string): NonNullable<JwtSettings["jwks"]> => ({
  url: new URL(url),
  ca: undefined,
  token: undefined,
  socket: undefined,
});
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

const GENERAL = { ...GENERAL_PLACES, audienceFrom: ["aud"] } as const;

const PRESETS: Readonly<Record<ProviderName, Preset>> = {
  auth0: { algorithms: ["RS256"], scopesFrom: ["scope", "permissions"] },
  // Access tokens of user pools have no aud.
  cognito: {
    algorithms: ["RS256"],
    scopesFrom: ["scope"],
    groupsFrom: ["cognito:groups"],
    audienceFrom: ["client_id"],
  },
  entra: {
    algorithms: ["RS256"],
    issuers: ({ tenants = [] }) =>
      tenants.flatMap((id) => [`https://login.microsoftonline.com/${id}/v2.0`, `https://sts.windows.net/${id}/`]),
    jwks: at("https://login.microsoftonline.com/common/discovery/v2.0/keys"),
    scopesFrom: ["scp"],
  },
  // What Firebase and Google give to services is an ID token.
  firebase: {
    algorithms: ["RS256"],
    issuers: ({ audience }) => audience.map((project) => `https://securetoken.google.com/${project}`),
    jwks: at("https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com"),
    idTokens: true,
  },
  "github-actions": { algorithms: ["RS256"], issuers: () => ["https://token.actions.githubusercontent.com"] },
  google: {
    algorithms: ["RS256"],
    issuers: () => ["https://accounts.google.com", "accounts.google.com"],
    jwks: at("https://www.googleapis.com/oauth2/v3/certs"),
    idTokens: true,
  },
  keycloak: {
    algorithms: ["RS256"],
    scopesFrom: ["scope"],
    // Of this service's own clients alone: what somebody may do at another is not for here.
    rolesFrom: ({ audience }) => [
      "realm_access.roles",
      ...audience.map((name) => `resource_access.${quoted(name)}.roles`),
    ],
  },
  kubernetes: {
    algorithms: ["RS256"],
    issuers: () => ["https://kubernetes.default.svc.cluster.local"],
    jwks: {
      url: new URL("https://kubernetes.default.svc/openid/v1/jwks"),
      ca: `${SERVICE_ACCOUNT}/ca.crt`,
      token: { file: `${SERVICE_ACCOUNT}/token` },
      socket: undefined,
    },
  },
  okta: { algorithms: ["RS256"], scopesFrom: ["scp"] },
  spiffe: { algorithms: ["RS256", "ES256", "ES384"], issuers: () => [] },
};

const NONE: Preset = { algorithms: [] };

/** The policy's settings over the provider's; `issuer` null where neither names one. */
export function expand(settings: JwtSettings): FullSettings {
  const { issuer, keys, jwks, secret, provider, ...rest } = settings;
  const preset = provider === undefined ? NONE : PRESETS[provider];
  const isPlaced = issuer !== undefined || keys !== undefined || jwks !== undefined || secret !== undefined;
  const written = issuer?.flatMap((one) => tenantsOf(one, settings.tenants));
  return {
    ...rest,
    provider,
    keys,
    secret,
    jwks: isPlaced ? jwks : preset.jwks,
    issuers: written ?? preset.issuers?.(settings) ?? [],
    algorithms: settings.algorithms ?? preset.algorithms,
    scopesFrom: settings.scopesFrom ?? preset.scopesFrom ?? GENERAL.scopesFrom,
    rolesFrom: settings.rolesFrom ?? preset.rolesFrom?.(settings) ?? GENERAL.rolesFrom,
    groupsFrom: settings.groupsFrom ?? preset.groupsFrom ?? GENERAL.groupsFrom,
    audienceFrom: settings.audienceFrom ?? preset.audienceFrom ?? GENERAL.audienceFrom,
    idTokens: settings.idTokens ?? preset.idTokens ?? false,
  };
}

function tenantsOf(issuer: string, tenants: readonly string[] = []): readonly string[] {
  return issuer.includes(TENANT) ? tenants.map((id) => issuer.replaceAll(TENANT, id)) : [issuer];
}

function quoted(segment: string): string {
  return /^[\w-]+$/.test(segment) ? segment : JSON.stringify(segment);
}

/** What the settings lack or have too much of: texts with the key that each is about. */
export function settingsFaults(
  settings: JwtSettings,
): readonly (readonly [text: string, key: keyof JwtSettings | null])[] {
  const { issuer, tenants, provider, subjects, algorithms, jwks, keys } = settings;
  const faults: [string, keyof JwtSettings | null][] = [];
  const hasPlace = issuer?.some((one) => one.includes(TENANT)) ?? false;
  const own = provider === undefined ? undefined : PRESETS[provider].issuers;
  if (issuer === undefined && own === undefined) faults.push(["'issuer' is missing; expected the token's iss", null]);
  if (algorithms === undefined && provider === undefined) {
    faults.push(["'algorithms' is missing; expected at least one algorithm, as in [RS256]", null]);
  }
  if (hasPlace && tenants === undefined)
    faults.push([`${TENANT} without 'tenants'; anybody can have a tenant`, "issuer"]);
  if (!hasPlace && tenants !== undefined && (provider !== "entra" || issuer !== undefined)) {
    faults.push([`no issuer with ${TENANT}; expected one, or 'provider: entra' without 'issuer'`, "tenants"]);
  }
  if (provider === "entra" && issuer === undefined && tenants === undefined) {
    faults.push(["'tenants' is missing; expected the IDs of the tenants that may come in, or 'issuer'", null]);
  }
  // Anybody on GitHub gets tokens with any audience, and of a trust domain every workload does.
  if ((provider === "github-actions" || provider === "spiffe") && subjects === undefined) {
    faults.push(["'subjects' is missing; expected who may come in, as in [repo:our-org/*:ref:refs/heads/main]", null]);
  }
  if (jwks?.socket !== undefined) {
    const text = agentFault(settings);
    if (text !== null) faults.push([text, "jwks"]);
  }
  if (provider === "spiffe" && issuer === undefined) {
    const foreign = subjects?.find((one) => !/^spiffe:\/\/[a-z0-9._-]+\//.test(one));
    if (foreign !== undefined)
      faults.push(["expected SPIFFE IDs of a trust domain, as in spiffe://example.org/**", "subjects"]);
    if (jwks === undefined && keys === undefined)
      faults.push(["'jwks' or 'keys' is missing; expected the trust domain's bundle", null]);
  }
  return faults;
}

/** Of the SPIFFE IDs that may come in; none where one of them is no such ID. */
export function trustDomainsOf(subjects: readonly string[] = []): ReadonlySet<string> {
  const domains = subjects.map((one) => /^spiffe:\/\/([a-z0-9._-]+)\//.exec(one)?.[1]);
  return new Set(domains.includes(undefined) ? [] : domains.flatMap((one) => one ?? []));
}

/** An agent has a bundle for each trust domain, and a token is only good by that of its own. */
function agentFault({ provider, issuer, subjects, jwks }: JwtSettings): string | null {
  if (jwks?.url !== undefined || jwks?.ca !== undefined || jwks?.token !== undefined) {
    return "'socket' and another key at once; expected it alone";
  }
  if (provider !== "spiffe" || issuer !== undefined) {
    return "a SPIFFE agent has keys of JWT-SVIDs; expected 'provider: spiffe' without 'issuer'";
  }
  const domains = trustDomainsOf(subjects);
  if (domains.size < 2) return null;
  return `'subjects' of ${domains.size} trust domains, whose keys are not each other's; expected an authenticator for each`;
}
