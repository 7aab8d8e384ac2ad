// Goal: no token passes that the policy's issuer did not sign for this service and this time.
// Method: one route behind a JWT authenticator; each token differs from a good one in a single thing.
import { createHmac, createPublicKey } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ORDER_ID, type Postern, type Service, startOrders, theWorld } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { createTokenMint } from "../fixtures/tokens.ts";

let service: Service;
let postern: Postern;
beforeAll(async () => {
  ({ service, postern } = await startOrders());
});
afterAll(closeAll);

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const now = () => Math.floor(Date.now() / 1000);

async function ask(token: string) {
  const before = service.arrived.length;
  const answer = await postern.call({ path: `/orders/${ORDER_ID}`, headers: { Authorization: `Bearer ${token}` } });
  return { ...answer, reached: service.arrived.length > before };
}

/** The good token's parts under another header, with a signature of one's own. */
async function forged(header: unknown, sign: (input: string) => string): Promise<string> {
  const { mint } = await theWorld();
  const payload = (await mint.token()).split(".")[1] ?? "";
  const input = `${base64url(header)}.${payload}`;
  return `${input}.${sign(input)}`;
}

const cases: Record<string, [reason: string, token: () => Promise<string>]> = {
  expired: ["token_expired", async () => (await theWorld()).mint.token({ exp: now() - 60 })],
  "not yet valid": ["token_not_yet_valid", async () => (await theWorld()).mint.token({ nbf: now() + 120 })],
  "without exp": ["token_claim_missing", async () => (await theWorld()).mint.token({ exp: undefined })],
  "for another audience": ["token_audience_mismatch", async () => (await theWorld()).mint.token({ aud: ["billing"] })],
  "from another issuer": [
    "token_issuer_mismatch",
    async () => (await theWorld()).mint.token({ iss: "https://idp.example.org" }),
  ],
  "signed by another key of the same name": ["token_signature_invalid", async () => (await createTokenMint()).token()],
  "signed by an unknown key": ["token_key_unknown", async () => (await createTokenMint("key-2")).token()],
  "with algorithm none": ["token_algorithm_forbidden", () => forged({ alg: "none", kid: "key-1" }, () => "")],
  "with algorithm nOnE": ["token_algorithm_forbidden", () => forged({ alg: "nOnE", kid: "key-1" }, () => "")],
  unsigned: ["token_signature_invalid", () => forged({ alg: "RS256", kid: "key-1" }, () => "")],
  "signed by HMAC with the public key": [
    "token_algorithm_forbidden",
    async () => {
      const jwk = JSON.parse((await theWorld()).mint.jwks).keys[0];
      const pem = createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "pem" });
      return forged({ alg: "HS256", kid: "key-1" }, (input) =>
        createHmac("sha256", pem).update(input).digest("base64url"),
      );
    },
  ],
  tampered: [
    "token_signature_invalid",
    async () => {
      const [header, , signature] = (await (await theWorld()).mint.token()).split(".");
      const claims = {
        iss: "https://idp.example.org/",
        aud: "orders",
        sub: "root",
        exp: now() + 600,
        scope: "orders:read",
      };
      return `${header}.${base64url(claims)}.${signature}`;
    },
  ],
  "of two parts": ["token_malformed", async () => "a.b"],
};

for (const [name, [reason, token]] of Object.entries(cases)) {
  test(`a token ${name} is denied as ${reason}`, async () => {
    const answer = await ask(await token());
    expect(answer).toMatchObject({ status: 401, reason, reached: false });
    expect(answer.headers["www-authenticate"]).toContain('error="invalid_token"');
    const line = await postern.logged((entry) => entry["id"] === answer.id);
    expect(JSON.stringify(line)).not.toContain(await token());
  });
}

test("a good token passes, also when its audience is a list", async () => {
  const { mint } = await theWorld();
  expect(await ask(await mint.token())).toMatchObject({ status: 200, reached: true });
  expect(await ask(await mint.token({ aud: ["other", "orders"] }))).toMatchObject({ status: 200, reached: true });
});
