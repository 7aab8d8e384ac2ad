/**
 * What decision facts cost a request: CPU of the whole process, of batches of finished requests that alternate, and the median of
 * it. `recorded` goes from the end of a request to the bytes in the file, the writing included; `kept` is what a policy with an
 * admin port pays for `explain ID`. A connection repeats its headers; each request has a path, and an exchange, of its own.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stateFiles } from "../src/daemon/state-files.ts";
import { Denial } from "../src/decision/verdict.ts";
import { unlimitedMemory } from "../src/memory/budget.ts";
import { parseAddress } from "../src/message/address.ts";
import { EMPTY_BODY } from "../src/message/body.ts";
import type { ClientCertificate, ConnectionFacts } from "../src/message/connection.ts";
import { Exchange } from "../src/message/exchange.ts";
import { HeaderBlock } from "../src/message/headers.ts";
import type { Principal } from "../src/message/principal.ts";
import { DecisionRecords, type RecordSubscriber } from "../src/records/decision-records.ts";
import type { FinishedRequest } from "../src/records/make-facts.ts";
import { RecentDecisions } from "../src/records/recent-decisions.ts";
import { RecordFile } from "../src/records/record-file.ts";
import { StateFolder } from "../src/resources/state-folder.ts";
import { systemClock } from "../src/support/clock.ts";
import { DEFAULTS } from "../src/support/defaults.ts";
import { err } from "../src/support/result.ts";
import { systemTimers } from "../src/support/timers.ts";

/** Their lines are about what is written at once. */
const BATCH = 1_024;
const HANDFUL = 64;
const ROUNDS = 51;

const PLACE = { file: "policy.yaml", line: 21, column: 5, path: "routes[0]" };
const LINES = [
  ["host", "orders.example.org"],
  ["user-agent", "records-bench/1.0 (loopback; x64)"],
  ["accept", "application/json, text/plain;q=0.9, */*;q=0.1"],
  ["accept-encoding", "gzip, deflate, br"],
  ["accept-language", "en-GB,en;q=0.8,de;q=0.5"],
  ["traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
  ["cookie", "session=c2Vzc2lvbg; theme=dark"],
  ["authorization", "Bearer secret"],
] as const;
const CERTIFICATE: ClientCertificate = {
  subject: "CN=client,O=Example",
  issuer: "CN=clients,O=Example",
  serialNumber: "0A",
  fingerprint: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  dnsNames: [],
  uris: [],
  emails: [],
  addresses: [],
  spiffeId: "spiffe://example.org/ns/shop/sa/client",
  notBeforeMs: 0,
  notAfterMs: Number.POSITIVE_INFINITY,
  untrusted: null,
  x509: null,
};
const PRINCIPAL: Principal = {
  authenticator: "idp",
  type: "jwt",
  id: "6f1c1a52-54f3-4c61-9a35-0d6e5f1f2a77",
  key: "idp/6f1c1a52-54f3-4c61-9a35-0d6e5f1f2a77",
  scopes: new Set(["orders:read", "orders:write"]),
  claims: { iss: "https://idp.example.org", aud: "orders", sub: "6f1c1a52-54f3-4c61-9a35-0d6e5f1f2a77" },
  expiresAtMs: Number.POSITIVE_INFINITY,
};
const DENIAL = new Denial("scope_missing", PLACE, "the scopes orders:read and orders:write", "orders:admin");

function headerBlock(): HeaderBlock {
  return new HeaderBlock(
    LINES.map(([name]) => name),
    LINES.map(([, value]) => value),
  );
}

function connection(): ConnectionFacts {
  const peer = parseAddress("192.0.2.7");
  if (peer === null) throw new Error("no address");
  return { listener: "in", peer, proxyPeer: null, protocol: "http/1.1", secure: true, certificate: CERTIFICATE };
}

interface Kind {
  readonly path: (at: number) => string;
  readonly headers: () => HeaderBlock;
  readonly denial: Denial | null;
}

function finished(at: number, facts: ConnectionFacts, { path, headers, denial }: Kind): FinishedRequest {
  const host = "orders.example.org";
  const exchange = new Exchange(facts, "GET", { path: path(at), query: "" }, host, host, headers(), EMPTY_BODY);
  exchange.principal = PRINCIPAL;
  return {
    id: `uV3kq0Zt-${at}`,
    listener: "in",
    route: "/v1/orders/{orderId}",
    protocol: "http/1.1",
    policyHash: "0123456789abcdef",
    exchange,
    clientAddress: "192.0.2.7",
    status: denial === null ? 200 : 403,
    grpcStatus: null,
    reason: denial?.reason ?? null,
    denial,
    decisionMs: 0.0213 + at / 1e6,
    upstreamMs: denial === null ? 1.234_567 : -1,
    durationMs: 1.345_678 + at / 1e5,
    requestBodyBytes: 0,
    responseBodyBytes: 512,
    denied: denial !== null,
  };
}

const repeated = headerBlock();
const number: Kind = { path: (at) => `/v1/orders/${1000 + at}`, headers: () => repeated, denial: null };
const uuid = (at: number): string => `/v1/orders/6f1c1a52-54f3-4c61-9a35-${String(100_000_000_000 + at)}`;
const kinds = {
  number,
  uuid: { ...number, path: uuid },
  fresh: { ...number, headers: headerBlock },
  denied: { ...number, denial: DENIAL },
} as const;

const folder = mkdtempSync(join(tmpdir(), "postern-records-"));
const record = new RecordFile(
  { bytesMax: DEFAULTS.recordBytes, oneIn: 1, requests: "all" },
  {
    clock: systemClock,
    timers: systemTimers,
    random: Math.random,
    memory: unlimitedMemory(),
    residentBytes: () => 0,
    openCaller: () => ({ call: () => Promise.resolve(err({ kind: "closed", text: "none" })), close: () => {} }),
    folder: new StateFolder(folder, stateFiles(folder, null), () => {}),
    openFiles: (directory) => stateFiles(directory, null),
    readFile: () => err("none"),
    changed: () => {},
    note: () => {},
    recompile: () => {},
  },
);

function recordsOf(...subscribers: readonly RecordSubscriber[]): DecisionRecords {
  const settings = { claims: [], headers: new Set<string>(), query: new Set<string>() };
  return new DecisionRecords(
    { subscribers, settings, observers: [], tracer: null, rooms: [], debug: null, audit: null, anomalies: null },
    systemClock,
  );
}

const recent = new RecentDecisions({ keep: DEFAULTS.decisionsKept, sampleOneIn: DEFAULTS.decisionsSampleOneIn });
const recorded = recordsOf(record);
const kept = recordsOf(recent);
const nobody = recordsOf();
const lanes: Readonly<Record<string, readonly [DecisionRecords, Kind]>> = {
  "nobody subscribed": [nobody, kinds.number],
  "kept, allowed": [kept, kinds.number],
  "kept, denied": [kept, kinds.denied],
  recorded: [recorded, kinds.number],
  "recorded, UUID in the path": [recorded, kinds.uuid],
  "recorded, new headers": [recorded, kinds.fresh],
  "recorded, denied": [recorded, kinds.denied],
};

/** Microseconds of CPU that a request of a batch takes. What is made for it is not among them, and lives no longer than usual. */
async function cpuUs(records: DecisionRecords, kind: Kind): Promise<number> {
  const facts = connection();
  let spentUs = 0;
  for (let at = 0; at < BATCH; at += HANDFUL) {
    const handful = Array.from({ length: HANDFUL }, (_, nth) => finished(at + nth, facts, kind));
    const before = process.cpuUsage();
    for (const one of handful) records.note(one, PLACE, null);
    const { user, system } = process.cpuUsage(before);
    spentUs += user + system;
  }
  const before = process.cpuUsage();
  // What waits for the disk has gone there, so that nothing of it is dropped.
  record.close();
  let settled: Promise<void>;
  do {
    settled = record.settled;
    await settled;
  } while (settled !== record.settled);
  const { user, system } = process.cpuUsage(before);
  record.start();
  return (spentUs + user + system) / BATCH;
}

try {
  const samples = new Map(Object.keys(lanes).map((name) => [name, [] as number[]]));
  record.start();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, [records, kind]] of Object.entries(lanes)) samples.get(name)?.push(await cpuUs(records, kind));
  }
  for (const [name, values] of samples) {
    const sorted = values.toSorted((a, b) => a - b);
    const [median, best] = [sorted[Math.floor(sorted.length / 2)] ?? 0, sorted[0] ?? 0];
    console.log(`${name.padEnd(28)} ${median.toFixed(2)} µs, at best ${best.toFixed(2)} µs`);
  }
  const { detail } = record.status();
  if (detail?.includes("dropped") === true) throw new Error(detail);
} finally {
  rmSync(folder, { recursive: true });
}
