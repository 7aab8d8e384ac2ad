// Goal: a route that wants a stronger or a fresher login gets it (RFC 9470): the client learns from the answer what to ask its
// provider for, its user logs in again, and the next token is let in. Method: the real oidc-provider and its code flow.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Oidc, startOidc } from "../fixtures/oidc.ts";
import { type Login, logIn, tokenOfUser, userConfiguration } from "../fixtures/oidc-user.ts";
import { policyHead } from "../fixtures/policy-head.ts";
import { type Postern, startPostern, startService, theWorld, type World } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterAll(closeAll);

const HOUR_S = 3_600;
const nowSeconds = (): number => Math.floor(Date.now() / 1000);

let world: World;
let oidc: Oidc;
let postern: Postern;
/** Of the browser: its user stays logged in. */
const cookies = new Map<string, string>();
const login: Login = { acr: "pwd", atSeconds: nowSeconds() - HOUR_S };
beforeAll(async () => {
  world = await theWorld();
  oidc = await startOidc(world.pki, { format: "jwt", configuration: userConfiguration(["pwd", "phr"]) });
  oidc.intercept = (request, response) => logIn(oidc.provider, login, request, response);
  const { port } = await startService();
  postern = await startPostern(
    port,
    (ports) => `${policyHead(ports)}
authenticators:
  idp: { type: jwt, issuer: "${oidc.issuer}", audience: "https://orders.example", algorithms: [RS256], jwks: { ca: ca.pem } }
routes:
  - { path: /orders, authenticate: [idp] }
  - { path: /refunds, authenticate: { any: [idp], acr: [phr] } }
  - { path: /account, authenticate: { any: [idp], maxAge: 5m } }
`,
  );
});

const call = (path: string, token: string) => postern.call({ path, headers: { Authorization: `Bearer ${token}` } });

/** What the challenge asks the client to ask for, and nothing else. */
async function stepUp(path: string, token: string): Promise<Record<string, string>> {
  const answer = await call(path, token);
  expect([answer.status, answer.reason]).toEqual([401, "authentication_insufficient"]);
  const challenge = answer.headers["www-authenticate"] ?? "";
  expect(challenge).toContain('error="insufficient_user_authentication"');
  const wanted = [...challenge.matchAll(/(acr_values|max_age)="([^"]*)"/g)];
  return Object.fromEntries(wanted.map(([, name = "", value = ""]) => [name, value]));
}

test("a login of an hour ago is enough where nothing is said, and not where the route wants one of five minutes", async () => {
  const old = await tokenOfUser(oidc.issuer, world.pki, cookies);
  expect((await call("/orders", old)).status).toBe(200);
  const wanted = await stepUp("/account", old);
  expect(wanted).toEqual({ max_age: "300" });

  // Asked with nothing more, the provider gives another token for the same login.
  const same = await tokenOfUser(oidc.issuer, world.pki, cookies);
  expect((await call("/account", same)).reason).toBe("authentication_insufficient");

  login.atSeconds = nowSeconds();
  const fresh = await tokenOfUser(oidc.issuer, world.pki, cookies, wanted);
  expect((await call("/account", fresh)).status).toBe(200);
  // The old token stays what it was.
  expect((await call("/account", old)).reason).toBe("authentication_insufficient");
});

test("a password is not enough where the route wants more, and the user who shows it is let in", async () => {
  const weak = await tokenOfUser(oidc.issuer, world.pki, cookies);
  const wanted = await stepUp("/refunds", weak);
  expect(wanted).toEqual({ acr_values: "phr" });
  login.acr = "phr";
  const strong = await tokenOfUser(oidc.issuer, world.pki, cookies, { ...wanted, prompt: "login" });
  expect((await call("/refunds", strong)).status).toBe(200);
  expect((await call("/account", strong)).status).toBe(200);
});
