// Goal: somebody who scans and tries keys is told of in the log, the metrics, the list and by a signed message, and is refused no
// more than before; what docs/anomalies.md shows is what the commands say. Method: the real process on the page's policy, a
// receiver of webhooks over TLS, the commands that people use.
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { resolve } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { ANOMALY_KINDS, KINDS } from "../../src/anomalies/kinds.ts";
import { main } from "../../src/main.ts";
import { systemClock } from "../../src/support/clock.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { eventually } from "../fixtures/eventually.ts";
import { type PolicyPorts, type Postern, startPostern, startService, theWorld } from "../fixtures/postern.ts";
import { listen, onClose } from "../fixtures/proxy.ts";

const page = readFileSync(resolve(import.meta.dirname, "../../docs/anomalies.md"), "utf8");
const [policy = ""] = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
const shown = [...page.matchAll(/```\n\$ (.*)\n([\s\S]*?)```/g)].map(
  (match) => [match[1] ?? "", match[2] ?? ""] as const,
);
const SECRET = Buffer.alloc(32, 9);

interface Message {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

let postern: Postern;
let apiKey: string;
const messages: Message[] = [];

beforeAll(async () => {
  const world = await theWorld();
  apiKey = world.apiKey;
  const { pki } = world;
  const receiver = createServer({ cert: pki.server.certificate, key: pki.server.key }, (request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      messages.push({ headers: request.headers, body });
      // The first is not taken, and comes again.
      response.writeHead(messages.length === 1 ? 503 : 204).end();
    });
  });
  const hook = await listen(receiver);
  onClose(() => receiver.closeAllConnections());
  const service = await startService();
  const ports = ({ port, admin, app }: PolicyPorts): string =>
    policy
      .replace(":8080", `:${port}`)
      .replace(":9901", `:${admin}`)
      .replace(":3000", `:${app}`)
      .replace("https://hooks.example.org/postern,", `https://localhost:${hook}/postern, ca: ca.pem,`);
  postern = await startPostern(service.port, ports, {
    "admin-token": "b7e23ec29af22b0b4e41da31e868d57226121c84\n",
    "webhook-secret": `whsec_${SECRET.toString("base64")}\n`,
  });
});

async function ask(path: string, key: string): Promise<number> {
  const response = await fetch(`http://localhost:${postern.port}${path}`, { headers: { "X-Api-Key": key } });
  await response.arrayBuffer();
  return response.status;
}

async function listed(): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return JSON.parse((await postern.admins("/anomalies")).body)["anomalies"];
}

/** Until the newest look has seen this. */
async function told(seen: string): Promise<void> {
  await eventually(async () => (await listed()).some((one) => String(one["seen"]).startsWith(seen)));
}

async function run(command: string, ...more: readonly string[]) {
  const [, ...args] = command.split(" ");
  const out = { stdout: "", stderr: "" };
  const code = await main([...args, ...more], {
    stdout: (text) => {
      out.stdout += text;
    },
    stderr: (text) => {
      out.stderr += text;
    },
    cwd: postern.folder,
    clock: systemClock,
  });
  return { code, ...out };
}

/** What differs from run to run, in the words of the page. */
function timeless(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z/g, "2026-11-30T09:12:44.031Z")
    .replaceAll(/(path_scan|credential_stuffing)-[a-z0-9]+-\d+/g, "$1-tbd2ok-1")
    .replaceAll(/(examples) {2}.*/g, "$1  kx3f9a2b-24 kx3f9a2b-25 kx3f9a2b-26");
}

test("a scan and tried keys are told, by everything that the page names, and nobody is refused for it", async () => {
  for (let at = 0; at < 25; at++) expect(await ask(`/.env${at}`, apiKey)).toBe(404);
  await told("25 different paths");
  for (let at = 0; at < 15; at++) expect(await ask("/orders/1", `key-that-nobody-has-${at}`)).toBe(401);
  await told("15 different credentials");
  expect(await ask("/orders/1", apiKey)).toBe(200);

  for (const [command, expected] of shown) {
    const { code, stdout, stderr } = await run(command);
    expect([code, stderr]).toEqual([0, ""]);
    expect(timeless(stdout)).toBe(expected);
  }
  const line = await postern.logged((one) => one["event"] === "anomaly" && one["state"] === "ended");
  expect(line).toMatchObject({ kind: "path_scan", level: "info", client: "127.0.0.1" });
  const metrics = (await postern.admins("/metrics")).body;
  expect(metrics).toContain('postern_anomalies_total{kind="path_scan"} 1');
  expect(metrics).toContain('postern_anomalies_active{kind="path_scan"} 0');
  expect(metrics).toContain('postern_anomalies_active{kind="credential_stuffing"} 1');

  // Three events, and the first of them twice.
  await eventually(() => messages.length >= 4);
  for (const { headers, body } of messages) {
    const text = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`;
    expect(headers["webhook-signature"]).toBe(`v1,${createHmac("sha256", SECRET).update(text).digest("base64")}`);
    expect(body).not.toContain("key-that-nobody-has");
  }
  expect(messages[1]?.headers["webhook-id"]).toBe(messages[0]?.headers["webhook-id"]);
  const told3 = messages.slice(1, 4).map(({ body }) => JSON.parse(body) as { type: string; data: { kind: string } });
  expect(told3.map(({ type, data }) => `${type} ${data.kind}`)).toEqual([
    "anomaly.begun path_scan",
    "anomaly.begun credential_stuffing",
    "anomaly.ended path_scan",
  ]);
  expect(postern.output()).not.toContain(SECRET.toString("base64"));
});

test("what cannot be is told by the command", async () => {
  const wrong = await run("postern anomalies list --policy policy.yaml --kind path_scam");
  expect(wrong).toMatchObject({ code: 1, stdout: "" });
  expect(wrong.stderr).toContain("did you mean 'path_scan'?");
});

test("the page's kinds and numbers are the product's", () => {
  for (const kind of KINDS) expect(page).toContain(`| \`${kind}\` | ${ANOMALY_KINDS[kind].text} |`);
  expect(page.match(/^\| `\w+_\w+` \|/gm)?.length).toBe(KINDS.length - 1);
  const flat = page.replaceAll("\n", " ");
  for (const words of [
    `${DEFAULTS.anomalyPathsMin} of one address in 10 minutes, ${DEFAULTS.anomalyPathsLongMin} in a day`,
    `${DEFAULTS.anomalyPathsSpreadMin} of all addresses`,
    `${DEFAULTS.anomalyIdsMin} of one caller in 10 minutes, ${DEFAULTS.anomalyIdsLongMin} in a day`,
    `${DEFAULTS.anomalyMissingMin} and ${DEFAULTS.anomalyMissingLongMin} where most`,
    `${DEFAULTS.anomalyIdentitiesMin} of one address in 10 minutes, ${DEFAULTS.anomalyIdentitiesLongMin} in a day`,
    `${DEFAULTS.anomalyFailuresMin} of at least ten addresses`,
    `${DEFAULTS.anomalyNetworksMin} networks`,
    `${DEFAULTS.anomalyNetworksNewMin} of a caller that is new`,
    `Up to ${DEFAULTS.anomalyOperationsMax.toLocaleString("en")} operations, and ${DEFAULTS.anomalyActorsMax.toLocaleString("en")} addresses`,
    `At most ${DEFAULTS.anomalyWebhookWaitingMax} messages wait`,
  ]) {
    expect(flat).toContain(words);
  }
});
