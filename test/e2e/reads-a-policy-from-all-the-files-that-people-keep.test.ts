// biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts of policies have references that look like it
// Goal: a policy in several files is watched as one: files that come, go and change in a folder of routes count at once,
// half of one never does, every denial names the file and line of its rule, and a value from
// elsewhere is shown nowhere. Method: one real process, real files.
import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { main } from "../../src/main.ts";
import { systemClock } from "../../src/support/clock.ts";
import { eventually, type PolicyPorts, startPostern, startService } from "../fixtures/postern.ts";

const policy = ({ port, admin, app }: PolicyPorts): string => `version: 1
service: orders
listeners: [{ name: inbound, address: 127.0.0.1:${port}, tls: { certificate: server.pem, key: server.key } }]
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
include: [auth.yaml, "routes/*.yaml", "mounted/*.yaml"]
`;
const AUTH = "authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }\n";

async function runMain(args: readonly string[]): Promise<{ out: string; err: string }> {
  const told = { out: "", err: "" };
  await main(args, {
    stdout: (text) => {
      told.out += text;
    },
    stderr: (text) => {
      told.err += text;
    },
    cwd: "/",
    clock: systemClock,
  });
  return told;
}

const open = (path: string): string => `routes: [{ path: ${path}, public: true }]\n`;

test("a policy of several files is one policy", async () => {
  const service = await startService();
  const postern = await startPostern(service.port, policy, {
    "auth.yaml": AUTH,
    "routes/a.yaml": open("/a"),
    "mounted/.keep": "",
  });
  const answers = (path: string, status: number) =>
    eventually(
      async () => (await postern.call({ path })).status,
      (one) => one === status,
    );
  await answers("/a", 200);

  // A file that comes, one that changes, one that goes.
  postern.write("routes/b.yaml", open("/b"));
  await answers("/b", 200);
  postern.write("routes/b.yaml", open("/b2"));
  await answers("/b2", 200);
  unlinkSync(join(postern.folder, "routes/a.yaml"));
  await answers("/a", 404);

  // The folder as Kubernetes mounts a ConfigMap: links into ..data, which leads to another folder at each swap.
  const mounted = join(postern.folder, "mounted");
  const swap = (version: string, path: string): void => {
    mkdirSync(join(mounted, version));
    writeFileSync(join(mounted, version, "team.yaml"), open(path));
    symlinkSync(version, join(mounted, "..data_tmp"));
    renameSync(join(mounted, "..data_tmp"), join(mounted, "..data"));
  };
  swap("..1", "/first");
  symlinkSync("..data/team.yaml", join(mounted, "team.yaml"));
  await answers("/first", 200);
  swap("..2", "/second");
  rmSync(join(mounted, "..1"), { recursive: true });
  await answers("/second", 200);
  await answers("/first", 404);

  // A problem of one file refuses all of them, at its line.
  postern.write("routes/c.yaml", "routes:\n  - path: /c\n    publik: true\n");
  const refused = await postern.logged(({ event, result }) => event === "reload" && result === "refused");
  expect(String(refused["problems"])).toContain(`${join(postern.folder, "routes/c.yaml")}:3:5: unknown key 'publik'`);
  postern.write("routes/c.yaml", "routes:\n  - path: /c\n    authenticate: [partners]\n");
  await answers("/c", 401);
  const denied = await postern.logged(({ path, status }) => path === "/c" && status === 401);
  expect(denied["policy"]).toBe(`${join(postern.folder, "routes/c.yaml")}:3:19`);

  // Written where it stands: the route is open only between its lines, which nobody sees.
  const file = join(postern.folder, "routes/d.yaml");
  postern.write("routes/d.yaml", "routes:\n  - { path: /d, public: true, methods: [PUT] }\n...\n");
  await eventually(
    async () => (await postern.call({ path: "/d" })).status,
    (status) => status === 405,
  );
  writeFileSync(file, "routes:\n  - { path: /d/**, public: true }\n");
  for (let times = 0; times < 5; times++) expect((await postern.call({ path: "/d/admin" })).status).toBe(404);
  appendFileSync(file, "  - { path: /d/admin, authenticate: [partners] }\n...\n");
  await answers("/d/admin", 401);

  // A value from a file: a change of the file is one of the policy. Its text goes to the service and is shown nowhere else.
  const keyed = 'routes:\n  - path: /e\n    public: true\n    request: { setHeaders: { X-Key: "${file:key}" } }\n';
  postern.write("key", "planted-first\n");
  postern.write("routes/e.yaml", keyed);
  await answers("/e", 200);
  expect(service.arrived.at(-1)?.headers["x-key"]).toBe("planted-first");
  postern.write("key", "planted-second\n");
  await eventually(
    async () => (await postern.call({ path: "/e" })).status === 200 && service.arrived.at(-1)?.headers["x-key"],
    (key) => key === "planted-second",
  );
  postern.write("routes/f.yaml", "routes: [{ path: /f, authenticate: ['${file:key}'] }]\n");
  await postern.logged(({ problems }) => String(problems).includes("authenticator '${file:key}' is not defined"));
  const shown = [postern.output(), (await postern.admins("/policy")).body, (await postern.admins("/metrics")).body];
  for (const args of [["check"], ["explain", "--policy"], ["explain", "--json", "--policy"]]) {
    const file = join(postern.folder, "policy.yaml");
    const { out, err } = await runMain([...args, file, ...(args[0] === "explain" ? ["GET /e"] : [])]);
    shown.push(out, err);
  }
  expect(shown.join("")).toContain("${file:key}");
  expect(shown.join("")).not.toContain("planted");
});
