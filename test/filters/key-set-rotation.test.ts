// Goal: whatever a provider does with its keys, no good token is refused. Method: the real oidc-provider over TLS, and a
// provider whose keys rotate each second of a minute.
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { afterEach, beforeAll, expect, test } from "vitest";
import { closeAll } from "../fixtures/closing.ts";
import { startOidc } from "../fixtures/oidc.ts";
import { createTestPki, type TestPki } from "../fixtures/pki.ts";
import { principalOf } from "./identity-context.ts";
import { CLAIMS, jwk, makeToken } from "./jwt-kit.ts";
import { keySetRig } from "./key-set-kit.ts";

let pki: TestPki;
beforeAll(async () => {
  pki = await createTestPki();
});
afterEach(closeAll);

test("tokens of oidc-provider are let in by its issuer alone, also while it is down", async () => {
  const oidc = await startOidc(pki, { format: "jwt", lifetime: 3600 });
  const rig = await keySetRig(pki);
  // The provider's clock is the machine's.
  rig.time.pass(Date.now() - rig.time.wallMs());
  const okta = rig.open({ issuer: oidc.issuer, audience: "https://orders.example", typ: "at+jwt" });
  const principal = principalOf(await rig.ask(okta, await oidc.token("orders:read")));
  expect(principal.id).toBe(oidc.clientId);
  expect([...principal.scopes]).toEqual(["orders:read"]);
  expect(oidc.asked.filter((path) => path.startsWith("/.well-known") || path === "/jwks")).toEqual([
    "/.well-known/openid-configuration",
    "/jwks",
  ]);
  const later = await oidc.token("orders:write");
  await oidc.close();
  rig.time.pass(1_000_000);
  expect([...principalOf(await rig.ask(okta, later)).scopes]).toEqual(["orders:write"]);
});

interface EcSigner {
  readonly jwk: Record<string, unknown>;
  readonly kid: string;
  readonly key: KeyObject;
}

function ecSigner(kid: string): EcSigner {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { kid, jwk: jwk(publicKey, { kid, use: "sig" }), key: privateKey };
}

test("keys that rotate each second of a minute, published 40 s ahead, refuse nobody and cost three fetches", async () => {
  const rig = await keySetRig(pki);
  const signers = Array.from({ length: 110 }, (_, at) => ecSigner(`key-${at}`));
  const publishAt = (second: number) => {
    rig.provider.answers.set("/keys", {
      keys: signers.slice(Math.max(0, second - 5), second + 40).map((one) => one.jwk),
    });
  };
  publishAt(0);
  const okta = rig.open({ algorithms: ["ES256"] });
  let letIn = 0;
  for (let second = 0; second < 60; second++) {
    publishAt(second);
    const { kid, key } = signers[second] ?? ecSigner("none");
    const burst = Array.from({ length: 40 }, (_, at) => {
      const claims = { ...CLAIMS, iss: rig.issuer, sub: `${second}-${at}` };
      const text = makeToken({ alg: "ES256", kid }, claims, (input) =>
        sign("sha256", input, { key, dsaEncoding: "ieee-p1363" }),
      );
      return rig.ask(okta, text);
    });
    for (const answer of await Promise.all(burst)) if (principalOf(answer).id.startsWith(`${second}-`)) letIn++;
    rig.time.pass(1_000);
  }
  expect(letIn).toBe(60 * 40);
  expect(rig.fetches()).toBeLessThanOrEqual(3);
});
