// Goal: nothing is forwarded for a caller that did not prove who it is.
// Method: a real postern process before a real service; each kind of route is asked without a certificate, key or token,
// with ones that nobody trusts, and with good ones; the service notes what arrives.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ORDER_ID, type Postern, type Service, startOrders, theWorld } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

let service: Service;
let postern: Postern;
beforeAll(async () => {
  ({ service, postern } = await startOrders());
});
afterAll(closeAll);

const order = `/orders/${ORDER_ID}`;

describe("a request without a certificate, key or token", () => {
  for (const path of ["/mesh", order, "/limited"]) {
    test(`for ${path} is denied and never reaches the service`, async () => {
      const before = service.arrived.length;
      const answer = await postern.call({ path });
      const reason = path === "/mesh" ? "certificate_missing" : "credentials_missing";
      expect(answer).toMatchObject({ status: 401, reason });
      expect(answer.headers["www-authenticate"]).toBeTruthy();
      expect(service.arrived.length).toBe(before);
    });
  }

  test("for a public route is allowed", async () => {
    expect(await postern.call({ path: "/public" })).toMatchObject({ status: 200, body: '{"ok":true}' });
  });
});

test("a certificate, a key and a token each open their routes", async () => {
  const { pki, mint, apiKey } = await theWorld();
  expect(await postern.call({ path: "/mesh", client: pki.client })).toMatchObject({ status: 200 });
  expect(await postern.call({ path: order, headers: { "X-Api-Key": apiKey } })).toMatchObject({ status: 200 });
  expect(await postern.call({ path: order, headers: { Authorization: `Bearer ${await mint.token()}` } })).toMatchObject(
    {
      status: 200,
    },
  );
});

test("a certificate that nobody trusts, one that has expired and an unknown key are denied", async () => {
  const { pki } = await theWorld();
  const before = service.arrived.length;
  for (const [client, reason] of [
    [pki.strangerClient, "certificate_issuer_unknown"],
    [pki.expiredClient, "certificate_expired"],
    [pki.server, "certificate_usage_mismatch"],
  ] as const) {
    expect(await postern.call({ path: "/mesh", client })).toMatchObject({ status: 401, reason });
  }
  const wrong = { "X-Api-Key": "pk_wrong56789abcdef0123456789abc" };
  expect(await postern.call({ path: order, headers: wrong })).toMatchObject({ status: 401, reason: "api_key_unknown" });
  expect(service.arrived.length).toBe(before);
});
