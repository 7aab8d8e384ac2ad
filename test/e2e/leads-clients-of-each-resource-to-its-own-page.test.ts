// Goal: a client of either of two resources behind one postern finds out who gives tokens for that one, by its own challenge alone.
// Method: `postern run` as a process over TLS, oauth4webapi as the client; refusals of each kind that carry a challenge.
import { Agent, request as httpsRequest } from "node:https";
import * as oauth from "oauth4webapi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PolicyPorts, type Postern, startPostern, startService, theWorld } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterAll(closeAll);

const policy = ({ port, admin, app }: PolicyPorts): string => `version: 1
service: shop
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    tls: { certificate: server.pem, key: server.key }
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
resourceMetadata:
  - { resource: "https://localhost:${port}/orders", name: Orders }
  - { resource: "https://localhost:${port}/refunds", name: Refunds }
authenticators:
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [RS256], keys: jwks.json }
  bank: { type: jwt, issuer: "https://bank.example.org/", audience: [orders], algorithms: [RS256], keys: jwks.json, query: access_token }
routes:
  - { path: "/orders/{id}", authenticate: [okta], authorize: { scopes: ["orders:read"] } }
  - { path: /refunds, authenticate: [okta, bank], authorize: { scopes: ["refunds:read"] } }
  - { path: /refunds/strict, authenticate: { any: [okta], acr: [phr] } }
  - { path: /other, authenticate: [okta] }
`;

let postern: Postern;
beforeAll(async () => {
  postern = await startPostern((await startService()).port, policy);
});

async function trustingFetch(url: string, { method, headers }: { method: string; headers: Record<string, string> }) {
  const { pki } = await theWorld();
  return new Promise<Response>((done, failed) => {
    const agent = new Agent({ ca: pki.ca.certificate, keepAlive: false });
    const request = httpsRequest(url, { method, headers, agent, family: 4 }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", failed);
      response.on("end", () => {
        const type = String(response.headers["content-type"]);
        done(
          new Response(Buffer.concat(chunks), { status: response.statusCode ?? 0, headers: { "content-type": type } }),
        );
      });
    });
    request.once("error", failed);
    request.end();
  });
}

const page = (name: string) => `https://localhost:${postern.port}/.well-known/oauth-protected-resource/${name}`;

async function challenge(path: string, claims: Record<string, unknown> | null = null): Promise<string> {
  const { mint } = await theWorld();
  const headers: Record<string, string> =
    claims === null ? {} : { Authorization: `Bearer ${await mint.token(claims)}` };
  return String((await postern.call({ path, headers })).headers["www-authenticate"]);
}

test("each resource is discovered by its own page", async () => {
  const options = { [oauth.customFetch]: trustingFetch };
  const found = async (name: string) => {
    const resource = new URL(`https://localhost:${postern.port}/${name}`);
    return oauth.processResourceDiscoveryResponse(resource, await oauth.resourceDiscoveryRequest(resource, options));
  };
  expect(await found("orders")).toMatchObject({
    authorization_servers: ["https://idp.example.org/"],
    scopes_supported: ["orders:read"],
    bearer_methods_supported: ["header"],
    resource_name: "Orders",
  });
  expect(await found("refunds")).toMatchObject({
    authorization_servers: ["https://bank.example.org/", "https://idp.example.org/"],
    scopes_supported: ["refunds:read"],
    bearer_methods_supported: ["header", "query"],
    resource_name: "Refunds",
  });
});

test("every kind of challenge leads to the page of the resource that was asked for", async () => {
  for (const [path, name] of [
    ["/orders/1", "orders"],
    ["/refunds", "refunds"],
  ] as const) {
    const leads = `resource_metadata="${page(name)}"`;
    expect(await challenge(path)).toContain(leads);
    expect(await challenge(path, { exp: 1 })).toContain(leads);
    const narrow = await challenge(path, { scope: "nothing" });
    expect(narrow).toContain(leads);
    expect(narrow).toContain('error="insufficient_scope"');
    expect((await challenge(path)).match(/resource_metadata/g)?.length).toBe(1);
  }
  const stepUp = await challenge("/refunds/strict", {});
  expect(stepUp).toContain('error="insufficient_user_authentication"');
  expect(stepUp).toContain(`resource_metadata="${page("refunds")}"`);
});

test("a route of neither leads nowhere, and the well-known path without a resource is the service's", async () => {
  expect(await challenge("/other")).toBe('Bearer realm="shop"');
  expect((await postern.call({ path: "/.well-known/oauth-protected-resource" })).status).toBe(404);
  expect((await postern.call({ path: "/.well-known/oauth-protected-resource/other" })).status).toBe(404);
});
