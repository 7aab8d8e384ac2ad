// Goal: each provider's access token is read as its users expect, and what looks like one is refused with a reason.
import { describe, expect, test } from "vitest";
import { expand } from "../../src/filters/jwt/providers.ts";
import { type JwtSettings, jwtSchema } from "../../src/filters/jwt/schema.ts";
import { denialOf, principalOf } from "./identity-context.ts";
import { makeToken, NOW_S, RS256, rs256, setUp } from "./jwt-kit.ts";

type Claims = Readonly<Record<string, unknown>>;

const TENANT = "6f0a1c5e-0000-4000-8000-000000000001";
const OTHER = "6f0a1c5e-0000-4000-8000-000000000002";
const SPIFFE = "spiffe://example.org/ns/shop/sa/billing";
const COMMON = { issuer: undefined, algorithms: undefined };

interface Row {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly claims: Claims;
  readonly id: string;
  readonly scopes?: readonly string[];
  readonly roles?: readonly string[];
  readonly groups?: readonly string[];
  /** Changes that make the token somebody else's, with the reason of each. */
  readonly refused: readonly (readonly [Claims, string])[];
}

/** Claims as the providers' own pages show them. */
const ROWS: Readonly<Record<string, Row>> = {
  "Auth0, with RBAC": {
    settings: { provider: "auth0", issuer: "https://orders.eu.auth0.com/", audience: ["https://orders.example"] },
    claims: {
      iss: "https://orders.eu.auth0.com/",
      sub: "auth0|123",
      aud: ["https://orders.example", "https://orders.eu.auth0.com/userinfo"],
      azp: "client",
      scope: "openid profile",
      permissions: ["orders:read", "orders:write"],
    },
    id: "auth0|123",
    scopes: ["openid", "profile", "orders:read", "orders:write"],
    refused: [
      [{ iss: "https://orders.eu.auth0.com" }, "token_issuer_mismatch"],
      [{ aud: ["https://orders.eu.auth0.com/userinfo"] }, "token_audience_mismatch"],
      [{ nonce: "n", aud: "https://orders.example" }, "token_type_mismatch"],
    ],
  },
  "Okta, custom server": {
    settings: { provider: "okta", issuer: "https://a.okta.com/oauth2/default", audience: ["api://default"] },
    claims: {
      ver: 1,
      iss: "https://a.okta.com/oauth2/default",
      aud: "api://default",
      cid: "0oa1",
      uid: "00u1",
      scp: ["orders:read"],
      sub: "a@example.org",
      groups: ["Everyone", "Order desk"],
    },
    id: "a@example.org",
    scopes: ["orders:read"],
    groups: ["Everyone", "Order desk"],
    refused: [
      // The org server's tokens are for Okta itself.
      [{ iss: "https://a.okta.com", aud: "https://a.okta.com" }, "token_issuer_mismatch"],
      [{ at_hash: "x" }, "token_type_mismatch"],
    ],
  },
  "Entra, v2, of a user": {
    settings: { provider: "entra", tenants: [TENANT], audience: ["api://orders", "11111111"] },
    claims: {
      iss: `https://login.microsoftonline.com/${TENANT}/v2.0`,
      aud: "11111111",
      tid: TENANT,
      ver: "2.0",
      sub: "pairwise",
      scp: "orders.read orders.write",
      roles: ["clerk"],
      groups: ["g-1"],
    },
    id: "pairwise",
    scopes: ["orders.read", "orders.write"],
    roles: ["clerk"],
    groups: ["g-1"],
    refused: [
      [{ iss: `https://login.microsoftonline.com/${OTHER}/v2.0`, tid: OTHER }, "token_issuer_mismatch"],
      [{ iss: "https://login.microsoftonline.com/{tenantid}/v2.0" }, "token_issuer_mismatch"],
    ],
  },
  "Entra, v1, of an app": {
    settings: { provider: "entra", tenants: [TENANT], audience: ["api://orders"] },
    claims: {
      iss: `https://sts.windows.net/${TENANT}/`,
      aud: "api://orders",
      appid: "app",
      sub: "app-object",
      roles: ["Jobs.All"],
    },
    id: "app-object",
    roles: ["Jobs.All"],
    refused: [[{ iss: `https://sts.windows.net/${OTHER}/` }, "token_issuer_mismatch"]],
  },
  Cognito: {
    settings: {
      provider: "cognito",
      issuer: "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_A",
      audience: ["4c1"],
    },
    claims: {
      iss: "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_A",
      client_id: "4c1",
      token_use: "access",
      sub: "u-1",
      scope: "orders/read",
      "cognito:groups": ["clerks"],
      aud: undefined,
    },
    id: "u-1",
    scopes: ["orders/read"],
    groups: ["clerks"],
    refused: [
      [{ client_id: "other" }, "token_audience_mismatch"],
      [{ client_id: undefined, aud: "4c1", token_use: "id" }, "token_type_mismatch"],
    ],
  },
  Keycloak: {
    settings: { provider: "keycloak", issuer: "https://sso.example.org/realms/shop", audience: ["orders"] },
    claims: {
      iss: "https://sso.example.org/realms/shop",
      aud: ["orders", "account"],
      typ: "Bearer",
      nonce: "older ones have one",
      azp: "shop-web",
      sub: "f-1",
      scope: "openid email",
      realm_access: { roles: ["auditor"] },
      resource_access: { orders: { roles: ["clerk"] }, account: { roles: ["manage-account"] } },
      groups: ["/desk"],
    },
    id: "f-1",
    scopes: ["openid", "email"],
    roles: ["auditor", "clerk"],
    groups: ["/desk"],
    refused: [
      [{ typ: "ID" }, "token_type_mismatch"],
      [{ iss: "https://sso.example.org/realms/master" }, "token_issuer_mismatch"],
      [{ aud: "account" }, "token_audience_mismatch"],
    ],
  },
  "Google service account": {
    settings: { provider: "google", audience: ["https://orders.example"] },
    claims: {
      iss: "https://accounts.google.com",
      aud: "https://orders.example",
      sub: "109",
      email: "job@p.iam.gserviceaccount.com",
      at_hash: "x",
    },
    id: "109",
    refused: [[{ iss: "https://accounts.google.com/" }, "token_issuer_mismatch"]],
  },
  Firebase: {
    settings: { provider: "firebase", audience: ["shop-1"] },
    claims: { iss: "https://securetoken.google.com/shop-1", aud: "shop-1", sub: "uid", auth_time: NOW_S - 5 },
    id: "uid",
    refused: [[{ iss: "https://securetoken.google.com/other", aud: "other" }, "token_issuer_mismatch"]],
  },
  "GitHub Actions": {
    settings: { provider: "github-actions", audience: ["deploy"], subjects: ["repo:our-org/*:ref:refs/heads/main"] },
    claims: {
      iss: "https://token.actions.githubusercontent.com",
      aud: "deploy",
      sub: "repo:our-org/shop:ref:refs/heads/main",
    },
    id: "repo:our-org/shop:ref:refs/heads/main",
    refused: [
      [{ sub: "repo:our-org-evil/shop:ref:refs/heads/main" }, "token_subject_mismatch"],
      [{ sub: "repo:our-org/shop:pull_request" }, "token_subject_mismatch"],
      [{ sub: "repo:our-org/a/b:ref:refs/heads/main" }, "token_subject_mismatch"],
      [{ sub: "repo:our-org/:ref:refs/heads/main" }, "token_subject_mismatch"],
      [{ sub: "repo:our-org/shop:ref:refs/heads/main2" }, "token_subject_mismatch"],
    ],
  },
  Kubernetes: {
    settings: { provider: "kubernetes", audience: ["orders"] },
    claims: {
      iss: "https://kubernetes.default.svc.cluster.local",
      aud: ["orders"],
      sub: "system:serviceaccount:shop:billing",
      "kubernetes.io": { namespace: "shop" },
    },
    id: "system:serviceaccount:shop:billing",
    refused: [[{ aud: ["https://kubernetes.default.svc.cluster.local"] }, "token_audience_mismatch"]],
  },
  "JWT-SVID": {
    settings: { provider: "spiffe", audience: ["orders"], subjects: ["spiffe://example.org/ns/*/sa/billing"] },
    claims: { iss: undefined, aud: ["orders"], sub: SPIFFE },
    id: SPIFFE,
    refused: [
      [{ sub: "spiffe://evil.example/ns/shop/sa/billing" }, "token_issuer_mismatch"],
      [{ sub: "spiffe://example.org/ns/shop/x/sa/billing" }, "token_issuer_mismatch"],
    ],
  },
};

describe.each(Object.entries(ROWS))("%s", (_, { settings, claims, refused, ...wanted }) => {
  const rig = () => setUp({ ...COMMON, ...settings });
  const token = (changes: Claims = {}) =>
    makeToken(RS256, { exp: NOW_S + 3600, iat: NOW_S, ...claims, ...changes }, rs256());

  test("its access token is its caller, with scopes, roles and groups", async () => {
    const principal = principalOf(await rig().bearer(token()));
    expect(principal.id).toBe(wanted.id);
    expect([...principal.scopes]).toEqual(wanted.scopes ?? []);
    expect([...(principal.roles ?? [])]).toEqual(wanted.roles ?? []);
    expect([...(principal.groups ?? [])]).toEqual(wanted.groups ?? []);
  });

  test.each(refused)("%j is refused as %s", async (changes, reason) => {
    expect(denialOf(await rig().bearer(token(changes))).reason).toBe(reason);
  });

  test("what the preset says can be written out, and means the same", async () => {
    const parsed = jwtSchema.parse({ type: "jwt", ...settings, keys: "jwks.json" }) as JwtSettings;
    const {
      issuers,
      provider: _provider,
      tenants: _tenants,
      jwks: _jwks,
      keys: _keys,
      secret: _secret,
      type: _type,
      ...full
    } = expand(parsed);
    const written = {
      ...full,
      skew: "30s",
      maxTokenBytes: "16KiB",
      ...(issuers.length === 0 ? { provider: "spiffe", issuer: undefined } : { issuer: issuers }),
    };
    const { bearer } = setUp(written);
    expect(principalOf(await bearer(token())).id).toBe(wanted.id);
    for (const [changes, reason] of refused) expect(denialOf(await bearer(token(changes))).reason).toBe(reason);
  });
});

test("places of keys are the providers' own, and none where the policy names an issuer", () => {
  const jwksOf = (settings: Claims) =>
    expand(jwtSchema.parse({ type: "jwt", audience: "a", ...settings })).jwks?.url?.href;
  expect(jwksOf({ provider: "entra", tenants: [TENANT] })).toBe(
    "https://login.microsoftonline.com/common/discovery/v2.0/keys",
  );
  expect(jwksOf({ provider: "google" })).toBe("https://www.googleapis.com/oauth2/v3/certs");
  expect(jwksOf({ provider: "kubernetes" })).toBe("https://kubernetes.default.svc/openid/v1/jwks");
  expect(jwksOf({ provider: "kubernetes", issuer: "https://oidc.eks.example/id/A" })).toBeUndefined();
  expect(jwksOf({ provider: "github-actions" })).toBeUndefined();
});

test.each([
  ["opaque", "Cg5qZmhDzT3VbkD0c2F9Q", "an opaque token (1 part)"],
  ["encrypted", "a.b.c.d.e", "an encrypted token (5 parts)"],
])("an %s token is told as that", async (_, text, told) => {
  const denial = denialOf(await setUp().bearer(text));
  expect(denial.reason).toBe("token_malformed");
  expect(denial.seen).toContain(`${told}, as `);
});

test("at+jwt says that a token is none for sign-in", async () => {
  const { bearer } = setUp();
  const claims = {
    iss: "https://idp.example.org/oauth2/default",
    aud: "orders",
    sub: "a",
    nonce: "n",
    exp: NOW_S + 60,
  };
  expect(denialOf(await bearer(makeToken(RS256, claims, rs256()))).reason).toBe("token_type_mismatch");
  expect(principalOf(await bearer(makeToken({ ...RS256, typ: "at+jwt" }, claims, rs256()))).id).toBe("a");
});

test("roles of every client come by *, where the policy asks for them", async () => {
  const { bearer } = setUp({ rolesFrom: ["resource_access.*.roles", '"https://example.org/roles"'] });
  const claims = { iss: "https://idp.example.org/oauth2/default", aud: "orders", sub: "a", exp: NOW_S + 60 };
  const access = { a: { roles: ["x"] }, b: { roles: ["y", 1] }, c: null };
  const text = makeToken(RS256, { ...claims, resource_access: access, "https://example.org/roles": "z w" }, rs256());
  expect([...(principalOf(await bearer(text)).roles ?? [])]).toEqual(["x", "y", "z w"]);
});
