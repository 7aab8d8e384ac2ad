// Goal: where the service merges query and form, a form does not name another version than the one that was judged.
// Method: PHP, which takes a form's field for the query's, first by itself and then behind a policy as docs/versions.md shows it.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { freePort } from "../fixtures/free-port.ts";
import { type PolicyPorts, type Postern, startPostern } from "../fixtures/postern.ts";
import { isThere, startProgram } from "../fixtures/program.ts";
import { closeAll, onClose } from "../fixtures/proxy.ts";

const policy = ({ port, app }: PolicyPorts): string => `
version: 1
service: orders
listeners: [{ name: inbound, address: '127.0.0.1:${port}', upstream: app }]
upstreams: { app: { address: 'http://127.0.0.1:${app}' } }
authenticators: { partners: { type: api-key, header: X-Key, keys: keys.yaml } }
versions: { from: [{ query: api_version }], default: '1' }
routes:
  - path: /orders
    version: '1'
    methods: [POST]
    public: true
    validate: { form: { fields: { note: { type: string, maxLength: 200 } } } }
  - { path: /orders, version: '2', methods: [POST], authenticate: [partners] }
`;

const isInstalled = isThere("php") || process.env["CI"] !== undefined;
let service = 0;
let postern: Postern;
beforeAll(async () => {
  if (!isInstalled) return;
  service = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "postern-php-"));
  onClose(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "index.php"), `<?php echo $_REQUEST["api_version"] ?? "none";`);
  const isUp = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${service}/`).then(
      ({ ok }) => ok,
      () => false,
    );
  await startProgram(["php", "-S", `127.0.0.1:${service}`, join(folder, "index.php")], isUp);
  postern = await startPostern(service, policy);
});
afterAll(closeAll);
beforeEach(({ skip }) => skip(!isInstalled, "php is not installed"));

async function post(
  port: number,
  target: string,
  body: FormData | URLSearchParams,
): Promise<readonly [number, string]> {
  const response = await fetch(`http://127.0.0.1:${port}${target}`, { method: "POST", body });
  return [response.status, await response.text()];
}

const multipart = (name: string): FormData => {
  const form = new FormData();
  form.set(name, "2");
  return form;
};

test.each([
  ["of a form", () => new URLSearchParams({ note: "hi", api_version: "2" })],
  ["in a spelling that PHP takes for it", () => new URLSearchParams({ "api.version": "2" })],
  ["of a multipart form", () => multipart("api_version")],
])("a field %s is version 2 to the service, and gets no further than postern", async (_what, form) => {
  expect(await post(service, "/orders?api_version=1", form())).toEqual([200, "2"]);
  const [status, text] = await post(postern.port, "/orders?api_version=1", form());
  expect([status, JSON.parse(text)]).toEqual([
    422,
    expect.objectContaining({ reason: expect.stringMatching(/^form_/) }),
  ]);
});

test("an honest form is served by the version that its query names, or the default", async () => {
  const form = (): URLSearchParams => new URLSearchParams({ note: "hi" });
  expect(await post(postern.port, "/orders?api_version=1", form())).toEqual([200, "1"]);
  expect(await post(postern.port, "/orders", form())).toEqual([200, "1"]);
  expect((await post(postern.port, "/orders?api_version=2", form()))[0]).toBe(401);
});
