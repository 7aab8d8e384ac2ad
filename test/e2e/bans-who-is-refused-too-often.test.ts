// Goal: who scans paths or does not keep to a rate is not heard for a while, over restarts; honest clients elsewhere notice nothing,
// nor does the proxy through which all come; who has the admin token sees bans and lifts them.
// Method: the real process behind a proxy that it trusts, with a state folder, one process after the other; the command that people use.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { main } from "../../src/main.ts";
import { systemClock } from "../../src/support/clock.ts";
import {
  type Answer,
  eventually,
  type PolicyPorts,
  type Postern,
  startPostern,
  startService,
  theWorld,
} from "../fixtures/postern.ts";
import { onClose } from "../fixtures/proxy.ts";

const TOKEN = "b7e23ec29af22b0b4e41da31e868d57226121c84";
const SCANNER = "192.0.2.66";
const HONEST = "192.0.2.7";

let app: number;
let apiKey: string;
let arrived: readonly unknown[];
beforeAll(async () => {
  const service = await startService();
  app = service.port;
  arrived = service.arrived;
  ({ apiKey } = await theWorld());
});

function stateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "postern-bans-e2e-"));
  onClose(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const policyOf =
  (state: string, extra = "") =>
  ({ port, admin }: PolicyPorts): string =>
    `version: 1
service: orders
state: { directory: "${state}" }
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    tls: { certificate: server.pem, key: server.key }
    upstream: app
    trustedProxies: [127.0.0.0/8]
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}", token: { file: admin-token } }
authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
limits: { perCaller: { rate: 2/hour, key: principal } }
bans:
  scans: { on: [route_not_found, request_malformed, forwarded_invalid], times: 5/minute, key: client.address, for: 10m, growing: true }
  floods: { on: [rate_limited], times: 3/minute, key: principal, for: 10m }
  guessing: { on: [api_key_unknown], times: 3/minute, key: client.address, for: 10m }
${extra}
routes:
  - { path: /orders, public: true }
  - { path: /reports, authenticate: [partners], limit: [perCaller] }
  - { path: /private, authenticate: [partners] }
`;

const start = (state: string): Promise<Postern> => startPostern(app, policyOf(state), { "admin-token": `${TOKEN}\n` });

const ask = (
  postern: Postern,
  path: string,
  address = SCANNER,
  headers: Record<string, string> = {},
): Promise<Answer> => postern.call({ path, headers: { "X-Forwarded-For": address, ...headers } });

async function scan(postern: Postern, times: number, address = SCANNER): Promise<(string | undefined)[]> {
  const reasons = [];
  for (let at = 0; at < times; at++) reasons.push((await ask(postern, `/.env${at}`, address)).reason);
  return reasons;
}

async function stop(postern: Postern): Promise<void> {
  postern.process.kill("SIGTERM");
  expect(await postern.exited).toBe(0);
}

async function command(postern: Postern, ...args: readonly string[]) {
  let stdout = "";
  let stderr = "";
  const code = await main(["bans", ...args, "--policy", "policy.yaml"], {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    cwd: postern.folder,
    clock: systemClock,
  });
  return { code, stdout, stderr };
}

test("a flood of 404s bans its address and nobody else, a restart keeps that, and who may lifts it", async () => {
  const state = stateFolder();
  const first = await start(state);
  expect(await scan(first, 8)).toEqual([...Array(6).fill("route_not_found"), "banned", "banned"]);
  const line = await first.logged(({ event }) => event === "banned");
  expect(line).toMatchObject({ level: "warn", ban: "scans", reason: "route_not_found", key: SCANNER, count: 1 });
  const before = arrived.length;
  const refused = await ask(first, "/orders");
  expect([refused.status, refused.reason]).toEqual([429, "banned"]);
  expect(Number(refused.headers["retry-after"])).toBeGreaterThan(500);
  expect(arrived.length).toBe(before);
  expect((await ask(first, "/orders", HONEST)).status).toBe(200);
  const metrics = (await first.admins("/metrics")).body;
  expect(metrics).toContain('postern_bans_total{ban="scans"} 1');
  expect(metrics).toContain('postern_bans_active{ban="scans"} 1');
  expect(metrics).toContain('postern_bans_active{ban="floods"} 0');
  await stop(first);
  const files = readdirSync(state).filter((name) => name.startsWith("bans-"));
  expect(files.map((name) => statSync(join(state, name)).mode & 0o777)).toEqual([0o600]);

  const second = await start(state);
  expect((await ask(second, "/orders")).reason).toBe("banned");
  expect((await ask(second, "/orders", HONEST)).status).toBe(200);
  const listed = await command(second, "list");
  expect(listed.stdout).toMatch(
    /^floods by .*: nobody is banned\n\nguessing by .*: nobody is banned\n\nscans by client\.address\/64\n/,
  );
  expect(listed.stdout).toMatch(/\n {2}\d{4}-\S+Z +1 {2}192\.0\.2\.66 {2}[0-9a-f]{14}\n$/);
  expect(await command(second, "lift", "--ban", "scans", "--key", SCANNER)).toMatchObject({
    code: 0,
    stdout: "1 ban is lifted\n",
  });
  const act = await second.logged(({ event }) => event === "admin_act");
  expect(act).toMatchObject({ act: "/bans/lift", result: "done", lifted: 1, ban: "scans", key: SCANNER });
  expect((await ask(second, "/orders")).status).toBe(200);
  expect(await command(second, "lift", "--ban", "scans", "--key", SCANNER)).toMatchObject({
    code: 1,
    stderr: "postern bans: no such key is banned (404)\n",
  });
  expect((await second.admins("/bans/lift")).status).toBe(405);
  await stop(second);
});

test("a caller that does not keep to its rate is banned by name, from every address, and by no other's doing", async () => {
  const postern = await start(stateFolder());
  const key = { "X-Api-Key": apiKey };
  const reasons = [];
  for (let at = 0; at < 8; at++) reasons.push((await ask(postern, "/reports", `192.0.2.${at}`, key)).reason);
  expect(reasons).toEqual([undefined, undefined, ...Array(4).fill("rate_limited"), "banned", "banned"]);
  // It is the caller who is banned, for whatever it asks.
  expect((await ask(postern, "/private", HONEST, key)).reason).toBe("banned");
  expect((await ask(postern, "/orders", "192.0.2.3")).status).toBe(200);
  expect((await command(postern, "list", "--ban", "floods")).stdout).toContain("'principal partners/acme'");
  await stop(postern);
});

test("who guesses keys shuts out nobody that was good at the address, also after a restart", async () => {
  const state = stateFolder();
  const first = await start(state);
  const guess = (postern: Postern, text: string) => ask(postern, "/private", SCANNER, { "X-Api-Key": text });
  expect((await guess(first, apiKey)).status).toBe(200);
  for (let at = 0; at < 5; at++) await guess(first, `guess ${at}`);
  expect((await guess(first, "one more")).reason).toBe("banned");
  expect((await guess(first, apiKey)).status).toBe(200);
  await stop(first);
  const second = await start(state);
  expect((await guess(second, "one more")).reason).toBe("banned");
  expect((await guess(second, apiKey)).status).toBe(200);
  expect((await ask(second, "/orders")).status).toBe(200);
  await stop(second);
});

test("who tries what never is enough for a refusal is banned for all of it together, and its neighbour is not", async () => {
  const rules = `SecRule ARGS "@contains union" "id:1001,phase:2,pass,log,msg:'a word of injections',setvar:'tx.anomaly_score=+3'"`;
  const policy = policyOf(
    stateFolder(),
    "detectors: { words: { rules: [words.conf], threshold: 100 } }\ndefaults: { detect: [words] }",
  );
  const postern = await startPostern(
    app,
    (ports) =>
      policy(ports).replace("\nbans:\n", "\nbans:\n  probing: { suspicion: 10/hour, key: client.address, for: 10m }\n"),
    { "admin-token": `${TOKEN}\n`, "words.conf": rules },
  );
  const tried = [];
  for (let at = 0; at < 6; at++) tried.push((await ask(postern, `/orders?q=union+${at}`)).reason ?? "passed");
  expect(tried).toEqual(["passed", "passed", "passed", "passed", "banned", "banned"]);
  for (let at = 0; at < 12; at++) expect((await ask(postern, `/orders?q=onion+${at}`, HONEST)).status).toBe(200);
  expect((await ask(postern, "/orders?q=union", HONEST)).status).toBe(200);
  await postern.logged(({ event, ban, reason }) => event === "banned" && ban === "probing" && reason === "suspicion");
  expect((await command(postern, "list", "--ban", "probing")).stdout).toContain(SCANNER);
  await stop(postern);
});

test("nobody has the proxy banned, through which all come, by what its header says or by what cannot be read", async () => {
  const postern = await start(stateFolder());
  for (let at = 0; at < 8; at++) {
    expect((await ask(postern, "/orders", "no address")).reason).toBe("forwarded_invalid");
    expect((await postern.call({ path: "/.env" })).reason).toBe("route_not_found");
  }
  expect((await ask(postern, "/orders", HONEST)).status).toBe(200);
  expect((await postern.call({ path: "/orders" })).status).toBe(200);
  expect((await command(postern, "list", "--ban", "scans")).stdout).toContain("nobody is banned");
  await stop(postern);
});

test("kill -9 keeps a ban, a reload too, and a damaged file is set aside, loudly", async () => {
  const state = stateFolder();
  const first = await start(state);
  await scan(first, 6);
  // What is still being written has another name, and is nothing yet.
  const kept = () =>
    readdirSync(state)
      .filter((name) => name.startsWith("bans-") && !name.endsWith(".new"))
      .map((name) => join(state, name));
  // The file may stand before without a ban: who was good before is hashed with the secret in it.
  await eventually(
    async () => kept().some((file) => readFileSync(file, "latin1").includes(SCANNER)),
    (isKept) => isKept,
  );
  first.process.kill("SIGKILL");
  await first.exited;
  const second = await start(state);
  expect((await ask(second, "/orders")).reason).toBe("banned");
  second.write("policy.yaml", policyOf(state, "log: { access: denied }")(second));
  await second.logged(({ event, result }) => event === "reload" && result === "ok");
  expect((await ask(second, "/orders")).reason).toBe("banned");
  await stop(second);
  const [file = ""] = kept();
  expect(readFileSync(file, "latin1")).toContain(SCANNER);
  writeFileSync(file, "no state at all");
  const third = await start(state);
  const line = await third.logged(({ event }) => event === "state");
  expect(line).toMatchObject({ level: "warn", msg: expect.stringContaining("set aside") });
  expect((await ask(third, "/orders")).status).toBe(200);
  await stop(third);
});
