// Goal: neither one address without credentials nor a crowd of them can make postern hold more than its manifest grants, and another client notices
// nothing. Method: the attacks on a process in a cgroup of that size, where the machine lets us make one; else the policy
// says the limit, and resident memory is read.
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { resolve } from "node:path";
import { afterEach, expect, test } from "vitest";
import { parse } from "yaml";
import { type Held, holdEarlyBodies, holdHandshakes, holdIdle, holdRested } from "../fixtures/memory-attack.ts";
import { grantMemory } from "../fixtures/memory-grant.ts";
import { eventually, type Postern, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll, onClose } from "../fixtures/proxy.ts";

const MIB = 1024 * 1024;
const GRANTED = grantedBytes();

/** What the shipped manifest says. */
function grantedBytes(): number {
  const manifest = readFileSync(resolve(import.meta.dirname, "../../deploy/kubernetes/sidecar.yaml"), "utf8");
  const [, deployment = ""] = manifest.split(/^---$/m);
  const limit = parse(deployment).spec.template.spec.initContainers[0].resources.limits.memory as string;
  return Number(/^(\d+)Mi$/.exec(limit)?.[1]) * MIB;
}

/** Of the last test: a cgroup can go only when its process is gone. */
let cleared: Promise<void> = Promise.resolve();

afterEach(async () => {
  closeAll();
  await cleared;
});

// Each would take more than the grant if all of it were held.
const ATTACKS: readonly (readonly [string, (port: number) => Promise<Held>])[] = [
  ["handshakes that never end", (port) => holdHandshakes(port, 2_700, "hello")],
  ["TLS connections that ask for nothing", (port) => holdIdle(port, 3_000)],
  ["TLS connections of a crowd that rest after an answer", (port) => holdRested(port, 3_000, 60)],
  ["bodies that never end", (port) => holdEarlyBodies(port, 100, 16_000)],
  ["bodies that come in crumbs and never end", (port) => holdEarlyBodies(port, 100, 4_000, 40)],
];

test.each(ATTACKS)("%s", { timeout: 180_000 }, async (_name, attack) => {
  const service = await startService();
  const grant = grantMemory(GRANTED);
  const memory = grant === null ? `memory: { maxBytes: ${GRANTED / MIB}MiB }` : "";
  const postern = await startPostern(service.port, (ports) => policy(ports, memory), {}, grant?.wrap);
  cleared = postern.exited.then(() => grant?.dispose());
  const honest = askFrom("127.0.0.2", postern);
  const held = await attack(postern.port);
  onClose(() => held.end());
  const during = honest.answers.length;
  await eventually(
    async () => honest.answers.length,
    (count) => count >= during + 20,
  );
  expect(residentBytes(postern)).toBeLessThan(GRANTED);
  expect(grant?.wasExceeded() ?? false).toBe(false);
  expect(postern.process.exitCode).toBeNull();
  expect(new Set(await honest.stop())).toEqual(new Set([200]));
});

function policy({ port, admin, app }: { port: number; admin: number; app: number }, memory: string): string {
  return `version: 1
service: orders
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    handshakeTimeout: 170s
    headTimeout: 170s
    bodyProgressTimeout: 170s
    bodyMinRate: off
    tls: { certificate: server.pem, key: server.key }
upstreams:
  app: { address: "http://127.0.0.1:${app}" }
admin: { address: "127.0.0.1:${admin}" }
log: { access: off }
${memory}
routes:
  - { path: /**, public: true }
`;
}

function residentBytes({ process }: Postern): number {
  const status = readFileSync(`/proc/${process.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024;
}

/** One request after the other, each on a connection of its own; statuses, or why there was none. */
function askFrom(
  localAddress: string,
  { port }: Postern,
): { answers: (number | string)[]; stop: () => Promise<(number | string)[]> } {
  const answers: (number | string)[] = [];
  let stopped = false;
  const run = async (): Promise<void> => {
    while (!stopped) answers.push(await ask(localAddress, port));
  };
  const running = run();
  return {
    answers,
    stop: async () => {
      stopped = true;
      await running;
      return answers;
    },
  };
}

function ask(localAddress: string, port: number): Promise<number | string> {
  return new Promise((done) => {
    const options = { host: "127.0.0.1", port, localAddress, servername: "localhost", rejectUnauthorized: false };
    const asking = request({ ...options, agent: new Agent({ keepAlive: false }) }, (response) => {
      response.resume();
      response.on("error", (error) => done(error.message));
      response.on("end", () => done(response.statusCode ?? 0));
    });
    asking.on("error", (error) => done(error.message));
    asking.end();
  });
}
