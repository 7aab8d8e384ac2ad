// Goal: a pod's token is good while the API server of Kubernetes says so, and nobody is refused for good while it says nothing.
// Method: postern as a process before a plain service; token reviews over TLS, answered as kube-apiserver does.
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type KubeApi, startKubeApi } from "../fixtures/kube-api.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { policyHead } from "../fixtures/policy-head.ts";
import {
  type PolicyPorts,
  type Postern,
  type Service,
  startPostern,
  startService,
  theWorld,
} from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterAll(closeAll);

let api: KubeApi;
let postern: Postern;
let service: Service;

function policy(ports: PolicyPorts): string {
  return `${policyHead(ports)}
identity: { headers: { X-Pod: 'jwt.extra."authentication.kubernetes.io/pod-name"' } }
authenticators:
  pods:
    type: introspection
    protocol: tokenReview
    endpoint: "${api.url}"
    ca: ca.pem
    token: { file: serviceaccount/token }
    audience: orders
    subjects: ["system:serviceaccount:shop:*"]
    timeout: 4s
    cacheFor: 1s
    cacheInactiveFor: 1s
routes:
  - path: /orders
    authenticate: [pods]
    authorize: { groups: ["system:serviceaccounts:shop"] }
`;
}

beforeAll(async () => {
  const { pki } = await theWorld();
  api = await startKubeApi(pki);
  api.reviewers.set("first-token", "auth-delegator");
  service = await startService();
  postern = await startPostern(service.port, policy, { "serviceaccount/token": "first-token\n" });
});

const call = (token: string) => postern.call({ path: "/orders", headers: { Authorization: `Bearer ${token}` } });
const eventually = { timeout: PATIENCE_MS, interval: 50 };

test("a pod of the namespace comes in, its service account is told, and its token goes nowhere", async () => {
  const token = api.token("shop/billing");
  expect((await call(token)).status).toBe(200);
  expect(service.arrived.at(-1)?.headers).toMatchObject({ "x-pod": "billing-0" });
  expect(service.arrived.at(-1)?.headers.authorization).toBeUndefined();
  expect(postern.output()).not.toContain(token);
});

test("tokens of another namespace and of another audience do not", async () => {
  expect(await call(api.token("other/billing"))).toMatchObject({ status: 401, reason: "token_subject_mismatch" });
  const foreign = api.token("shop/billing", { audiences: ["payments"] });
  expect(await call(foreign)).toMatchObject({ status: 401, reason: "token_inactive" });
});

test("a pod that is deleted is refused within the time that answers are kept", async () => {
  const token = api.token("shop/billing");
  expect((await call(token)).status).toBe(200);
  api.deletePod(token);
  await vi.waitFor(
    async () => expect(await call(token)).toMatchObject({ status: 401, reason: "token_inactive" }),
    eventually,
  );
});

const JSON_HEAD = { "Content-Type": "application/json" };
const errorAndMore =
  '{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1","status":{"authenticated":true,"error":"x"}}';
test.each<[string, KubeApi["intercept"]]>([
  ["is too slow", () => true],
  ["is down", (request) => Boolean(request.socket.destroy())],
  ["is overloaded", (_, response) => Boolean(response.writeHead(429, JSON_HEAD).end('{"kind":"Status"}'))],
  ["talks nonsense", (_, response) => Boolean(response.writeHead(201, JSON_HEAD).end('{"kind":"Pod"}'))],
  ["says both", (_, response) => Boolean(response.writeHead(201, JSON_HEAD).end(errorAndMore))],
  ["sends 1 MB", (_, response) => Boolean(response.writeHead(201, JSON_HEAD).end(`{"x":"${"x".repeat(1e6)}"}`))],
  ["leads elsewhere", (_, response) => Boolean(response.writeHead(307, { Location: "/elsewhere" }).end())],
])("an API server that %s makes a 503 and never a 401", async (_, intercept) => {
  const token = api.token("shop/billing");
  // The circuit is closed again.
  await vi.waitFor(async () => expect((await call(api.token("shop/billing"))).status).toBe(200), eventually);
  api.intercept = intercept;
  expect(await call(token)).toMatchObject({ status: 503, reason: "introspection_unavailable" });
  api.intercept = null;
  await vi.waitFor(async () => expect((await call(token)).status).toBe(200), eventually);
});

test("postern's own token is read anew once the kubelet has renewed it", async () => {
  api.reviewers.delete("first-token");
  api.reviewers.set("second-token", "auth-delegator");
  expect(await call(api.token("shop/billing"))).toMatchObject({ status: 503, reason: "introspection_unavailable" });
  expect((await postern.admins("/readyz?verbose")).body).toMatch(/does not know postern's own token/);
  postern.write("serviceaccount/token", "second-token\n");
  await vi.waitFor(async () => expect((await call(api.token("shop/billing"))).status).toBe(200), eventually);
  expect(postern.output()).not.toMatch(/first-token|second-token/);
});
