import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setup as buildOnce } from "../fixtures/built.ts";
import { closeAll, onClose } from "../fixtures/closing.ts";
import { freePort } from "../fixtures/free-port.ts";
import { writeNginxConf } from "../fixtures/nginx.ts";
import { startPostern } from "../fixtures/postern.ts";
import { PEOPLE_TEXTS } from "./alarms/people-texts.ts";
import { startReflectingService } from "./crs/reflecting-service.ts";
import { listsIn } from "./lists.ts";

/**
 * `npm run conform:recall -- --lists FOLDER [--release RELEASE] [--most 400] [--verbose]`: which texts of public lists postern refuses, and which
 * nginx with libmodsecurity does, with the same rules at paranoia level 1 on the same requests, in turns: each text is a parameter
 * of a GET. FOLDER as for `conform:injection`. Of each list `--most` texts are taken, evenly. Prints the share that each refuses, and by which rules
 * the requests were found that only one of them refused; `--verbose` names their texts.
 */
const { values } = parseArgs({
  options: {
    lists: { type: "string" },
    release: { type: "string", default: "/usr/share/modsecurity-crs" },
    most: { type: "string", default: "400" },
    verbose: { type: "boolean", default: false },
  },
});
const MODULE = "/usr/lib/nginx/modules/ngx_http_modsecurity_module.so";
const { lists: listFolder = "", release } = values;
const setup = ["crs-setup.conf", "crs-setup.conf.example"]
  .flatMap((name) => [join(release, name), join("/etc/modsecurity/crs", name)])
  .find(existsSync);
const missing = [listFolder, join(release, "rules"), MODULE].find((name) => !existsSync(name));
if (missing !== undefined || setup === undefined) {
  console.error(
    `there is no '${missing ?? `crs-setup.conf below ${release}`}'; expected lists, a release of the rules, and nginx with ModSecurity`,
  );
  process.exit(2);
}

const USUAL = {
  host: "api.example.org",
  "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
  accept: "*/*",
};
const READY_TRIES = 200;
const agent = new Agent({ keepAlive: true, maxSockets: 2 });

function statusOf(port: number, path: string): Promise<number> {
  return new Promise((resolve) => {
    const asked = request({ host: "127.0.0.1", port, path, agent, headers: USUAL }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode ?? 0));
    });
    asked.on("error", () => resolve(0));
    asked.end();
  });
}

/** Gives its port, and where it says what its rules found. */
async function startModSecurity(app: number, setupFile: string): Promise<{ port: number; log: string }> {
  const folder = mkdtempSync(join(tmpdir(), "postern-recall-"));
  const [port, log] = [await freePort(), join(folder, "rules.log")];
  const rules = join(folder, "rules.conf");
  const names = readdirSync(join(release, "rules")).filter((name) => name.endsWith(".conf"));
  const includes = [setupFile, ...names.sort().map((name) => join(release, "rules", name))];
  const own = ["SecRuleEngine On", "SecRequestBodyAccess On", "SecAuditEngine Off"];
  writeFileSync(rules, [...own, ...includes.map((name) => `Include ${name}`)].join("\n"));
  mkdirSync(join(folder, "work"));
  const server = `listen 127.0.0.1:${port};\nerror_log ${log} info;\nmodsecurity on;\nmodsecurity_rules_file ${rules};\nlarge_client_header_buffers 4 64k;
location / { proxy_pass http://127.0.0.1:${app}; }`;
  const file = writeNginxConf(join(folder, "work"), server);
  writeFileSync(file, `load_module ${MODULE};\n${readFileSync(file, "utf8")}`);
  const child = spawn("nginx", ["-c", file, "-p", folder], { stdio: "ignore" });
  onClose(() => child.kill("SIGTERM"));
  for (let tries = 0; (await statusOf(port, "/")) === 0; tries++) {
    if (tries > READY_TRIES || child.exitCode !== null) throw new Error(`nginx does not answer; see ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { port, log };
}

await buildOnce();
const app = await startReflectingService();
const other = await startModSecurity(app, setup);
const detector = { rules: [setup, join(release, "rules")], paranoia: 1 };
const postern = await startPostern(
  app,
  ({ port }) => `
version: 1
service: recall
listeners: [{ name: inbound, address: "127.0.0.1:${port}", maxHeadBytes: 64KiB }]
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
detectors: { crs: ${JSON.stringify(detector)} }
routes:
  - { path: "/**", public: true, methods: [GET], detect: [crs] }
  - { path: /, public: true, methods: [GET], detect: [crs] }
`,
);

interface Tally {
  texts: number;
  own: number;
  other: number;
  both: number;
  same: number;
}

/** Requests that one of them alone refused, by their number. */
const alone = { postern: new Map<number, string>(), modsecurity: new Map<number, string>() };
const sums = new Map<string, Tally>();
let number = 0;
const all = [
  // The rule set's own tests are whole requests: conform:crs sends them.
  ...listsIn(listFolder).filter(({ name }) => !name.startsWith("coreruleset")),
  { name: "people", about: "both", kind: "honest", rows: PEOPLE_TEXTS.map((text) => [text]) } as const,
];
for (const { name, kind, rows } of all) {
  const tally = { texts: 0, own: 0, other: 0, both: 0, same: 0 };
  const every = Math.max(1, Math.ceil(rows.length / Number(values.most)));
  for (let at = 0; at < rows.length; at += every) await ask(rows[at]?.at(-1) ?? "", tally);
  tell(`${kind.padEnd(8)} ${name}`, tally);
  const sum = sums.get(kind) ?? { texts: 0, own: 0, other: 0, both: 0, same: 0 };
  for (const key of ["texts", "own", "other", "both", "same"] as const) sum[key] += tally[key];
  sums.set(kind, sum);
}
for (const [kind, sum] of sums) tell(`all ${kind}`, sum);
await tellAlone();
agent.destroy();
postern.process.kill("SIGTERM");
await postern.exited;
closeAll();

async function ask(text: string, tally: Tally): Promise<void> {
  const path = `/t/${++number}?q=${encodeURIComponent(text.toWellFormed())}`;
  const [own, its] = [await statusOf(postern.port, path), await statusOf(other.port, path)];
  // A text that is too long for either is nothing about rules.
  if ([own, its].some((status) => status === 0 || status === 414 || status === 431)) return;
  const [isOwn, isIts] = [own >= 400, its >= 400];
  tally.texts++;
  tally.own += Number(isOwn);
  tally.other += Number(isIts);
  tally.both += Number(isOwn && isIts);
  tally.same += Number(isOwn === isIts);
  if (isOwn && !isIts) alone.postern.set(number, text);
  if (isIts && !isOwn) alone.modsecurity.set(number, text);
}

function tell(name: string, { texts, own, other: its, same }: Tally): void {
  const share = (count: number): string => `${texts === 0 ? "–" : ((100 * count) / texts).toFixed(2)} % (${count})`;
  console.log(`${name.padEnd(60)} ${texts}: postern ${share(own)}, ModSecurity ${share(its)}, the same ${share(same)}`);
}

/** Rules that scored in each request that only one refused. */
async function tellAlone(): Promise<void> {
  const theirs = new Map<number, Set<string>>();
  for (const line of readFileSync(other.log, "latin1").split("\n")) {
    const [at, id] = [/\[uri "\/t\/(\d+)"\]/.exec(line)?.[1], /\[id "(\d+)"\]/.exec(line)?.[1]];
    if (at === undefined || id === undefined || /^(?:949|980|959)/.test(id)) continue;
    const ids = theirs.get(Number(at)) ?? new Set();
    theirs.set(Number(at), ids.add(id));
  }
  console.log("\nrefused by postern alone, by what it said:");
  const kinds: [number, string, string][] = [];
  for (const [at, text] of alone.postern) {
    const line = await postern.logged(
      (one) => String(one["path"] ?? "").startsWith(`/t/${at}`) && one["event"] === "request",
    );
    const detected = Object(line["detected"]).rules;
    kinds.push([at, Array.isArray(detected) ? `rules ${detected.join(" ")}` : String(line["reason"]), text]);
  }
  tellKinds(kinds);
  console.log("\nrefused by ModSecurity alone, by the rules that it logged:");
  tellKinds(
    [...alone.modsecurity].map(([at, text]) => [at, `rules ${[...(theirs.get(at) ?? [])].sort().join(" ")}`, text]),
  );
}

function tellKinds(kinds: readonly [number, string, string][]): void {
  const byKind = Map.groupBy(kinds, ([, kind]) => kind);
  for (const [kind, found] of [...byKind].sort((a, b) => b[1].length - a[1].length)) {
    console.log(`${String(found.length).padStart(6)}  ${kind}`);
    if (values.verbose) for (const [, , text] of found) console.log(`          ${JSON.stringify(text).slice(0, 200)}`);
  }
}
