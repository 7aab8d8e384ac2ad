export const PROVIDERS = [
  "auth0",
  "cognito",
  "entra",
  "firebase",
  "github-actions",
  "google",
  "keycloak",
  "kubernetes",
  "okta",
  "spiffe",
] as const;

export type ProviderName = (typeof PROVIDERS)[number];

/** What stands in an issuer for the tenant. */
export const TENANT = "{tenantid}";
