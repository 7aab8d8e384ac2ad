import { type Files, policyWith } from "../policy-kit.ts";

/** Authenticators of every type, and section `openapi` with one document; it begins at line 12, its keys at 13. */
export function policyOf(settings = "", rest = ""): string {
  const keys = settings === "" ? "" : `    ${settings.trim().replaceAll("\n", "\n    ")}\n`;
  return policyWith(`
authenticators:
  okta: { type: jwt, issuer: 'https://okta.example', audience: [orders], algorithms: [RS256], keys: jwks.json }
  mesh: { type: client-certificate, trustDomain: example.org }
  keys: { type: api-key, header: X-Api-Key, keys: keys.yaml }
  guest: { type: anonymous }
openapi:
  - file: api/orders.yaml
${keys}${rest}`);
}

/** A document with the security schemes `oauth`, `mtls`, `key` and `login`, whose paths are `paths`. */
export function api(paths: string, top = ""): string {
  return `openapi: 3.1.0
${top}
paths:
  ${paths.trim().replaceAll("\n", "\n  ")}
components:
  securitySchemes:
    oauth: { type: oauth2, flows: {} }
    mtls: { type: mutualTLS }
    key: { type: apiKey, in: header, name: X-Api-Key }
    login: { type: http, scheme: basic }
  schemas:
    Order: { type: object, required: [item], properties: { item: { type: string, maxLength: 10 } } }
`;
}

export function filesWith(jwks: string | Buffer, document: string, others: Files = {}): Files {
  return { "jwks.json": jwks, "keys.yaml": "callers: []\n", "api/orders.yaml": document, ...others };
}
