// Goal: a health check of type grpc says of a server what its own health service says, of the server as a whole and of one of its
// services, and so do metrics. Method: grpcio of Python, whose statuses a file gives.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import { freePort } from "../fixtures/free-port.ts";
import { type LivePostern, startLivePostern } from "../fixtures/live-postern.ts";
import { PYTHON, startProgram, works } from "../fixtures/program.ts";
import { closeAll, onClose } from "../fixtures/proxy.ts";

const hasGrpc = works(`${PYTHON} -c 'import grpc'`);
const SERVICE = fileURLToPath(new URL("../fixtures/services/health_of_grpc.py", import.meta.url));
const [SERVING, NOT_SERVING] = [1, 2];

const policy = (service: string): string => `version: 1
service: stock
listeners: [{ name: inbound, address: 127.0.0.1:8080, upstream: app }]
upstreams:
  app:
    address: h2c://127.0.0.1:3000
    healthCheck: { type: grpc, ${service}interval: 1s, healthyThreshold: 1, unhealthyThreshold: 1, whenUnhealthy: [notReady] }
admin: { address: 127.0.0.1:9901 }
routes: [{ path: /**, public: true }]
`;

let postern: LivePostern;
let folder: string;

const serve = (statuses: Readonly<Record<string, number>>): void => {
  writeFileSync(join(folder, "next.json"), JSON.stringify(statuses));
  renameSync(join(folder, "next.json"), join(folder, "statuses.json"));
};

const admins = async (path: string): Promise<string> => (await fetch(`${postern.admin}${path}`)).text();

const readiness = (holds: RegExp): Promise<string | null> =>
  eventually(async () => {
    const text = await admins("/readyz?verbose");
    return holds.test(text) ? text : null;
  });

beforeAll(async () => {
  if (!hasGrpc) return;
  folder = mkdtempSync(join(tmpdir(), "postern-grpc-health-"));
  onClose(() => rmSync(folder, { recursive: true, force: true }));
  serve({ "": SERVING, "stock.v1.Stock": NOT_SERVING });
  const app = await freePort();
  const isReady = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${app}`).then(
      () => true,
      // It speaks HTTP/2 alone; nobody there is another error.
      (error: Error) => !JSON.stringify(error.cause ?? "").includes("ECONNREFUSED"),
    );
  await startProgram([PYTHON, SERVICE, String(app), join(folder, "statuses.json")], isReady);
  postern = await startLivePostern({ "policy.yaml": policy("") }, app);
});
beforeEach(({ skip }) => skip(!hasGrpc, "python3-grpcio is not installed"));
afterAll(closeAll);

test("the server as a whole, while it serves and while it does not", async () => {
  await readiness(/^ready\n[\s\S]*health check app: ready/);
  expect(await admins("/metrics")).toContain("\npostern_ready 1\n");
  serve({ "": NOT_SERVING });
  await readiness(/^not ready\nupstream_unhealthy: [\s\S]*NOT_SERVING/);
  const metrics = await admins("/metrics");
  expect(metrics).toContain("\npostern_ready 0\n");
  expect(metrics).toContain('\npostern_not_ready{reason="upstream_unhealthy"} 1\n');
  expect(metrics).toContain('\npostern_not_ready{reason="draining"} 0\n');
  serve({ "": SERVING });
  await readiness(/^ready\n/);
});

test("one of its services, and one that it does not know", async () => {
  serve({ "": SERVING, "stock.v1.Stock": NOT_SERVING });
  postern.write("policy.yaml", policy("service: stock.v1.Stock, "));
  await readiness(/^not ready\n[\s\S]*NOT_SERVING/);
  serve({ "": NOT_SERVING, "stock.v1.Stock": SERVING });
  await readiness(/^ready\n/);
  serve({ "": SERVING });
  await readiness(/^not ready\n[\s\S]*it does not know a service of that name/);
});
