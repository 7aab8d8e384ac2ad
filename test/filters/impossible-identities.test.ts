// Goal: what no certificate and no token can have is a problem, and what some can have is none.
import { describe, expect, test } from "vitest";
import { clientCertificateSchema } from "../../src/filters/client-certificate/schema.ts";
import { jwtSchema } from "../../src/filters/jwt/schema.ts";

const fits = (subject: string) =>
  clientCertificateSchema.safeParse({ type: "client-certificate", subjects: [subject] }).success;

test.each(["CN=a,C=DEU", "C=Germany, CN=a", "/C=D/CN=a", "CN=a,countryName=49", "CN=a+C=D1"])(
  "%s is nobody's",
  (subject) => {
    expect(fits(subject)).toBe(false);
  },
);

test.each([
  "CN=a,C=DE",
  "/C=de/CN=a",
  "subject=C = DE, CN = a",
  "CN=C=DEU",
  'CN="x,C=DEU"',
  "DC=DEU,CN=a",
  "OC=x,CN=a",
])("%s may be somebody's", (subject) => {
  expect(fits(subject)).toBe(true);
});

describe("issuers of any tenant", () => {
  const parse = (issuer: string) =>
    jwtSchema.safeParse({ type: "jwt", issuer, audience: "a", algorithms: ["RS256"], keys: "k.pem" });
  test.each(["common", "organizations", "consumers"])("login.microsoftonline.com/%s is no token's", (tenant) => {
    for (const rest of ["", "/", "/v2.0"]) {
      expect(parse(`https://login.microsoftonline.com/${tenant}${rest}`).success).toBe(false);
    }
  });
  test.each([
    "https://login.microsoftonline.com/6f0a1c5e-0000-4000-8000-000000000001/v2.0",
    "https://id.example.org/common",
  ])("%s may be", (issuer) => {
    expect(parse(issuer).success).toBe(true);
  });
});
