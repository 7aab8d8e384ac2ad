import { describe, expect, test } from "vitest";
import { maskTokens, REDACTED } from "../../src/support/mask-tokens.ts";

describe("what looks like a credential is masked", () => {
  test.each([
    ["a JWT", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl"],
    ["a key by its maker's prefix", "sk_live_abcdefghijkl"],
    ["a hash", "9f86d081884c7d659a2feaa0c55ad015"],
    ["a key of letters and digits", "pk0123456789abcdef"],
    ["base64url with dashes in it", "dGhpc-Zx9_aTo-k3N_b2-Qq7_Zr"],
    ["base64 with padding", "QWxhZGRpbjpvcGVuIHNlc2FtZTEy=="],
  ])("%s", (_, secret) => {
    expect(maskTokens(`/reset/${secret}/now`)).toBe(`/reset/${REDACTED}/now`);
    expect(maskTokens(`token ${secret}; other`)).toBe(`token ${REDACTED}; other`);
  });

  test("masking what is masked changes nothing", () => {
    const once = maskTokens("/a/eyJhbGciOiJSUzI1NiJ9.x.y");
    expect(maskTokens(once)).toBe(once);
  });
});

describe("what requests usually have stays", () => {
  test.each([
    "/orders/0b6e2f6e-5a1f-4a9a-a8a5-2d9ce2b5a1f1/items/1234567890123456",
    "/articles/how-to-read-a-long-policy-in-2026",
    "/v1/organizations/administrators/responsibilities",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/json; charset=utf-8",
    "spiffe://example.org/ns/shop/sa/billing",
  ])("%s", (text) => {
    expect(maskTokens(text)).toBe(text);
  });
});

test("a long text of one run is masked in linear time", () => {
  const began = process.cpuUsage();
  expect(maskTokens("a1".repeat(500_000))).toBe(REDACTED);
  expect(process.cpuUsage(began).user).toBeLessThan(1_000_000);
});
