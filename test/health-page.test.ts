// Goal: what the page of health shows is what postern does. Method: its policy before a service that is not there, and then is.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { resolve } from "node:path";
import { afterEach, expect, test } from "vitest";
import { parse } from "yaml";
import { NOT_READY } from "../src/daemon/readiness.ts";
import { healthCheckSchema, serviceProbeSchema } from "../src/policy/health-schema.ts";
import { DEFAULTS } from "../src/support/defaults.ts";
import { eventually } from "./fixtures/eventually.ts";
import { freePort } from "./fixtures/free-port.ts";
import { startLivePostern, terminalOf } from "./fixtures/live-postern.ts";
import { closeAll, onClose } from "./fixtures/proxy.ts";
import { examine, policyWith } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/health.md"), "utf8");
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
const policy = blocks.find((block) => block.startsWith("version: 1")) ?? "";

afterEach(closeAll);

interface HttpGet {
  readonly httpGet: { readonly path: string; readonly port: number };
}

test("its policy does what it says, from a service that is not there to one that is well", async () => {
  const appPort = await freePort();
  const postern = await startLivePostern(
    {
      "policy.yaml": policy
        .replace("0.0.0.0:9902", "127.0.0.1:0")
        .replace("path: /healthz,", "path: /healthz, interval: 1s,"),
    },
    appPort,
  );
  const verbose = async () => (await fetch(`${postern.admin}/readyz?verbose`)).text();
  const timeless = (text: string): string =>
    text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, "NOW").replace(/\d of 3 bad/, "1 of 3 bad");
  const said = await eventually(async () => {
    const text = await verbose();
    return text.includes("starting, unknown, ") ? text : null;
  });
  expect(timeless(said)).toBe(timeless(terminalOf(page, "curl -s '127.0.0.1:9901/readyz?verbose'")));
  const { out } = await postern.command("check", "--online", "policy.yaml");
  expect(out).toBe(terminalOf(page, "postern check --online policy.yaml"));
  const service = createServer((request, response) => {
    response.writeHead(request.url === "/ready" ? 503 : 200).end();
  });
  onClose(() => service.close());
  await new Promise<void>((done) => service.listen(appPort, "127.0.0.1", done));
  await eventually(async () => (await verbose()).startsWith("ready\n"));
  // As the kubelet asks by the page's manifests.
  const probes = blocks.flatMap((block) => {
    const parsed = parse(block) as Readonly<Record<string, HttpGet>>;
    return Object.values(parsed).flatMap((probe) => (probe?.httpGet === undefined ? [] : [probe.httpGet]));
  });
  expect(probes.map(({ path, port }) => `${port} ${path}`)).toEqual([
    "9902 /readyz",
    "9902 /readyz",
    "9902 /livez",
    "9902 /app/readyz",
    "9902 /app/livez",
  ]);
  const statuses = await Promise.all(
    probes.map(async ({ path }) => (await fetch(`http://${postern.daemon.probesAddress}${path}`)).status),
  );
  expect(statuses).toEqual([200, 200, 200, 503, 200]);
});

test("its other policy loads", async () => {
  const block = blocks.find((one) => one.startsWith("upstreams:")) ?? "";
  const text = policyWith(
    "routes: [{ path: /, public: true }, { path: /stock, public: true, upstream: stock }]",
  ).replace(/^upstreams: .*$/m, block.trimEnd());
  const { problems } = await examine(text.replace("address: 127.0.0.1:8080", "address: 127.0.0.1:8080, upstream: app"));
  expect(problems).toEqual([]);
});

test("it names each reason, key and default, and no other", () => {
  const reasons = [...page.matchAll(/^\| `([a-z]+(?:_[a-z]+)*)` \| [^|]+ \| (?:always|with) /gm)].map(
    ([, name]) => name,
  );
  expect(reasons.sort()).toEqual([...Object.keys(NOT_READY)].sort());
  const keysOf = (heading: string): string[] => {
    const part = page.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
    return [...part.matchAll(/^\| ((?:`\w+`(?:, )?)+) \|/gm)].flatMap(([, cell = ""]) =>
      cell.replaceAll("`", "").split(", "),
    );
  };
  expect(keysOf("The health check").sort()).toEqual(Object.keys(healthCheckSchema.shape).sort());
  expect(keysOf("Probes of the service itself").sort()).toEqual(Object.keys(serviceProbeSchema.shape).sort());
  const defaultOf = (key: string): string => new RegExp(`^\\| \`${key}\` \\| ([^|]+) \\|`, "m").exec(page)?.[1] ?? "";
  expect(defaultOf("interval")).toBe(`${DEFAULTS.healthCheckIntervalMs / 1000}s`);
  expect(defaultOf("unhealthyThreshold")).toBe(`${DEFAULTS.unhealthyThreshold}`);
  expect(defaultOf("healthyThreshold")).toBe(`${DEFAULTS.healthyThreshold}`);
  expect(page).toContain(`| \`timeout\` | ${DEFAULTS.healthCheckTimeoutMs / 1000}s |`);
  expect(page).toContain(`| \`timeout\` | ${DEFAULTS.serviceProbeTimeoutMs / 1000}s if absent; 503 beyond`);
});
