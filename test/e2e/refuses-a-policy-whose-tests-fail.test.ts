import { afterAll, expect, test } from "vitest";
import { type PolicyPorts, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterAll(closeAll);

/** `admins`: what authorizes below /admin; the tests say that it has to be a scope. */
function policy({ port, admin, app }: PolicyPorts, admins: string, note: string): string {
  return `version: 1
service: ${note}
listeners: [{ name: inbound, address: 127.0.0.1:${port}, tls: { certificate: server.pem, key: server.key } }]
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
limits: { few: { rate: 1/hour, burst: 1, key: client.address } }
routes:
  - { path: /open, methods: [GET], public: true, limit: [few] }
  - { path: /admin/**, methods: [GET], ${admins} }
tests:
  - name: partners do not administer
    request: { path: /admin/panel }
    as: { api-key: acme }
    expect: { deny: scope_missing }
  - { name: one is let in, request: { path: /open }, expect: allow }
  - { name: what is not there yet, todo: true, request: { path: /new }, expect: allow }
`;
}

const CLOSED = "authenticate: [partners], authorize: { scopes: [admin] }";
const OPEN = "authenticate: [partners]";

test("a reload whose tests fail is refused and told, and the old policy stays; so is one that a file beside it refuses", async () => {
  const service = await startService();
  const postern = await startPostern(service.port, (ports) => policy(ports, CLOSED, "one"));
  const key = { "X-Api-Key": "pk_0123456789abcdef0123456789" };
  const ask = async () => (await postern.call({ path: "/admin/panel", headers: key })).status;
  expect(await ask()).toBe(403);

  postern.write("policy.yaml", policy(postern, OPEN, "two"));
  const told = "test 'partners do not administer' fails: expected deny scope_missing; got allow";
  const refused = await postern.logged(({ event, result }) => event === "reload" && result === "refused");
  expect(refused["problems"]).toEqual([expect.stringMatching(/policy\.yaml:12:5: test 'partners do not administer'/)]);
  expect(String(refused["problems"])).toContain(told);
  expect(await ask()).toBe(403);
  expect((await postern.admins("/metrics")).body).toMatch(/^postern_reloads_total\{result="refused"\} 1$/m);
  const status = JSON.parse((await postern.admins("/policy")).body);
  expect(status).toMatchObject({ service: "one", stale: true, lastAttempt: { result: "refused" } });
  expect(String(status.lastAttempt.problems)).toContain(told);

  // A file of tests beside it counts as well, and its mending is seen.
  postern.write("policy.test.yaml", "tests: [{ name: nobody is let in, request: { path: /open }, expect: deny }]");
  postern.write("policy.yaml", policy(postern, CLOSED, "three"));
  await postern.logged(({ problems }) =>
    String(problems).includes("policy.test.yaml:1:9: test 'nobody is let in' fails"),
  );
  postern.write("policy.test.yaml", "tests: [{ name: who asks is let in, request: { path: /open }, expect: allow }]");
  await postern.logged(({ event, result }) => event === "reload" && result === "ok");
  expect(JSON.parse((await postern.admins("/policy")).body)).toMatchObject({ service: "three", stale: false });

  // What tests counted is not what the process counts.
  expect((await postern.call({ path: "/open" })).status).toBe(200);
  expect((await postern.call({ path: "/open" })).status).toBe(429);
});
