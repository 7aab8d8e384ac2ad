import { createHash } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { byLabel, percentile, print, spawnChild, startPostern, startService } from "./kit.ts";

/**
 * `npm run soak -- --reloads 10000 --requests 180000`: a running postern gets a new policy as fast as it takes one, while
 * clients ask as fast as they are answered; 180,000 is an hour of 50 requests a second. Prints memory and open files at
 * intervals, and whether every request was accounted for. Ends with 1 where memory grew, files leaked or a count is off.
 */

const GROWTH_MIB_MAX = 48;
const OPEN_FILES_GROWTH_MAX = 8;
const MINUTES_MAX = 10;

const { values } = parseArgs({
  options: { reloads: { type: "string", default: "10000" }, requests: { type: "string", default: "180000" } },
});
const RELOADS = Number(values.reloads);
const REQUESTS = Number(values.requests);
const STEPS = 10;

const KEYS = `callers:
  - name: acme
    scopes: [orders:read, orders:write]
    keys: [{ sha256: ${createHash("sha256").update("pk_0123456789abcdef0123456789").digest("hex")} }]
`;
const ORDER = `{"type":"object","required":["sku","quantity"],"properties":{"sku":{"type":"string"},"quantity":{"type":"integer"}}}`;

/** Generation after generation differs: routes come and go, a limit and a blocked network change. */
function policyOf(app: number, port: number, admin: number, generation: number): string {
  const routes = Array.from({ length: 20 }, (_, at) => `  - { path: "/gen${generation}/r${at}/{id}", public: true }`);
  return `version: 1
service: soak
listeners:
  - { name: inbound, address: "127.0.0.1:${port}", headTimeout: ${10 + (generation % 3)}s }
upstreams:
  app: { address: "http://127.0.0.1:${app}" }
admin: { address: "127.0.0.1:${admin}" }
log: { access: off }
authenticators:
  partners: { type: api-key, header: X-Api-Key, keys: keys.yaml }
limits:
  perCaller: { rate: ${1_000_000 + generation}/second, burst: 1000000, key: principal }
defaults:
  address: { deny: [203.0.${generation % 256}.0/24] }
routes:
  - { path: /public, public: true }
  - { path: "/orders/{id}", methods: [GET], authenticate: [partners], limit: [perCaller] }
  - path: /orders
    methods: [POST]
    authenticate: [partners]
    validate: { contentType: [application/json], body: { maxBytes: 4KiB, schema: order.json } }
${routes.join("\n")}
`;
}

async function main(): Promise<boolean> {
  const service = await startService();
  let write: (generation: number) => void = () => {};
  const postern = await startPostern((port, admin, folder) => {
    writeFileSync(join(folder, "keys.yaml"), KEYS);
    writeFileSync(join(folder, "order.json"), ORDER);
    write = (generation) => {
      const next = join(folder, "next.yaml");
      writeFileSync(next, policyOf(service.port, port, admin, generation));
      renameSync(next, join(folder, "policy.yaml"));
    };
    return policyOf(service.port, port, admin, 0);
  });
  const load = spawnChild(process.execPath, [join(import.meta.dirname, "load.ts"), String(postern.port)]);
  const result = new Promise<{ sent: number; statuses: Record<string, number> }>((done) => {
    load.stdout?.once("data", (chunk) => done(JSON.parse(String(chunk))));
  });
  print(`policies in ${dirname(postern.file)}; ${RELOADS} reloads, at least ${REQUESTS} requests`);
  print("| minute | reloads | requests | memory MiB | open files | reload p50 / p99 ms |");
  print("|---|---|---|---|---|---|");
  const startedMs = performance.now();
  const memories: number[] = [];
  const files: number[] = [];
  const answered = async (): Promise<number> =>
    sum(byLabel(await postern.metrics(), "postern_requests_total", "reason"));
  let durations: number[] = [];
  const report = async (reloads: number): Promise<void> => {
    memories.push(postern.residentMiB());
    files.push(postern.openFiles());
    const minute = ((performance.now() - startedMs) / 60_000).toFixed(1);
    const times = `${percentile(durations, 0.5).toFixed(1)} / ${percentile(durations, 0.99).toFixed(1)}`;
    const requests = await answered();
    print(`| ${minute} | ${reloads} | ${requests} | ${memories.at(-1)?.toFixed(0)} | ${files.at(-1)} | ${times} |`);
    durations = [];
  };
  const isLate = (): boolean => performance.now() - startedMs > MINUTES_MAX * 60_000;
  let reloads = 0;
  for (let step = 0; step < STEPS; step++) {
    for (const end = (RELOADS * (step + 1)) / STEPS; reloads < end && !isLate(); reloads++) {
      const atMs = performance.now();
      write(reloads + 1);
      await postern.reload();
      durations.push(performance.now() - atMs);
    }
    while (RELOADS < STEPS && (await answered()) < (REQUESTS * (step + 1)) / STEPS && !isLate()) await pause(200);
    await report(reloads);
  }
  while ((await answered()) < REQUESTS && !isLate()) await pause(200);
  load.stdin?.end();
  const { sent, statuses } = await result;
  const counted = await answered();
  print(`sent ${sent}, counted ${counted}, answers ${JSON.stringify(statuses)}`);
  await report(reloads);
  if (postern.complaints.length > 0) print(`complaints: ${postern.complaints.slice(0, 5).join("\n")}`);
  await postern.stop();
  // The first steps fill caches and code; what counts is the second half.
  const half = memories[Math.floor(memories.length / 2)] ?? 0;
  const isFlat = (memories.at(-1) ?? 0) - half < GROWTH_MIB_MAX;
  const isTight = (files.at(-1) ?? 0) - (files[0] ?? 0) <= OPEN_FILES_GROWTH_MAX;
  const isWhole = sent === counted && reloads === RELOADS;
  print(`memory flat: ${isFlat}; open files steady: ${isTight}; every request and reload accounted for: ${isWhole}`);
  return isFlat && isTight && isWhole;
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

process.exit((await main()) ? 0 : 1);
