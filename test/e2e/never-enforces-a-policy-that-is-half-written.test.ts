import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type PolicyPorts, type Postern, startPostern, startService } from "../fixtures/postern.ts";

/** Sixteen lines, of which the first eight are a policy too, one that leaves /admin to everybody. */
function policy({ port, admin, app }: PolicyPorts, note: string): string {
  return `version: 1
service: orders
listeners: [{ name: inbound, address: 127.0.0.1:${port}, tls: { certificate: server.pem, key: server.key } }]
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
routes:
  - { path: /**, public: true }
  - path: /admin/**
    methods: [GET]
    authenticate: [partners]
    authorize: { scopes: [admin] }
  - path: /admin
    methods: [GET]
    authenticate: [partners]
    authorize: { scopes: ["${note}"] }
...
`;
}

async function generation(postern: Postern): Promise<number> {
  return (JSON.parse((await postern.admins("/policy")).body) as { generation: number }).generation;
}

test("a policy that is written line by line where it stands opens nothing meanwhile, and counts when it is whole", async () => {
  const service = await startService();
  const postern = await startPostern(service.port, (ports) => policy(ports, "one"));
  const statusOf = async (path: string): Promise<number> => (await postern.call({ path })).status;
  expect(await statusOf("/admin/panel")).toBe(401);

  const file = join(postern.folder, "policy.yaml");
  writeFileSync(file, "");
  for (const line of policy(postern, "two").split(/(?<=\n)/)) {
    appendFileSync(file, line);
    if (line.startsWith("...")) break;
    // The writer may pause for as long as a request takes, on a busy machine too: the mark has not come yet.
    expect(await statusOf("/admin/panel")).toBe(401);
    expect(await generation(postern)).toBe(1);
  }
  await postern.logged(({ event, result }) => event === "reload" && result === "ok");
  expect(await generation(postern)).toBe(2);
  expect(await statusOf("/admin/panel")).toBe(401);
  expect(postern.log.filter(({ event, result }) => event === "reload" && result !== "ok")).toEqual([]);
  expect(service.arrived).toEqual([]);
});

test("a policy that is moved to its name counts without a wait, and a signal loads what is there", async () => {
  const service = await startService();
  const postern = await startPostern(service.port, (ports) => policy(ports, "one"));
  const reloads = () => postern.log.filter(({ event }) => event === "reload").length;
  const withoutMark = (note: string) => policy(postern, note).replace("...\n", "");
  postern.write("policy.yaml", policy(postern, "two"));
  await postern.logged(() => reloads() === 1);
  // Written where it stands, and the mark is gone: for half a minute that is no policy, unless somebody says so.
  writeFileSync(join(postern.folder, "policy.yaml"), withoutMark("three"));
  postern.process.kill("SIGHUP");
  await postern.logged(() => reloads() === 2);
  expect(await generation(postern)).toBe(3);
});
