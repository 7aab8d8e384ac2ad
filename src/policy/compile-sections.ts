import { DEFAULTS } from "../support/defaults.ts";
import { nearestHint } from "../support/schema.ts";
import { type Steps, stepsOf } from "../support/turns.ts";
import { collide, isLoopback, reaches } from "./addresses.ts";
import { asksForCertificates } from "./asks-for-certificates.ts";
import { compileEntries } from "./compile-entries.ts";
import { compileUpstreamTls, upstreamProtocol } from "./compile-upstream-tls.ts";
import { TOP_HOMES } from "./homes.ts";
import { sections } from "./later-sections.ts";
import { logShape } from "./log-schema.ts";
import type { Path } from "./path.ts";
import { salvageContext } from "./salvage.ts";
import {
  ANCHORS_PREFIX,
  memoryShape,
  nameSchema,
  SECTIONS,
  stateShape,
  upstreamShape,
  versionSchema,
} from "./schema.ts";
import type { UpstreamSettings } from "./snapshot.ts";
import type { Work } from "./work.ts";

/** The top of the policy: its version, the service's name, log, and keys that do not belong there. */
export function compileTop(work: Work): void {
  const { reader } = work;
  const anchors = (reader.keys([]) ?? []).filter((key) => key.startsWith(ANCHORS_PREFIX));
  const top = reader.fields({ version: versionSchema, service: nameSchema }, [], [...SECTIONS, ...anchors], TOP_HOMES);
  work.service = top.service ?? "";
  if (reader.raw(["memory"]) !== undefined) compileMemory(work);
  if (reader.raw(["state"]) !== undefined) compileState(work);
  if (reader.raw(["log"]) !== undefined) work.log = { access: reader.fields(logShape, ["log"]).access ?? "all" };
}

/** Section `state`. The folder is made when something is first kept there. */
function compileState(work: Work): void {
  const { directory } = work.reader.fields(stateShape, ["state"]);
  if (directory === undefined) return;
  if (directory.includes("\0")) work.problem("expected the name of a folder", ["state", "directory"]);
  else work.stateDirectory = work.files.absoluteName(directory);
}

/** Section `upstreams`. */
export function* compileUpstreams(work: Work): Steps<void> {
  if (work.reader.raw(["upstreams"]) === undefined && !work.isOpen)
    work.problem("'upstreams' is missing; expected at least one", []);
  for (const name of work.reader.names(["upstreams"])) {
    yield;
    if (work.problems.isFull) return;
    work.upstreams.defined.add(name);
    const path = ["upstreams", name];
    const fields = work.reader.fields(upstreamShape, path);
    if (fields.address === undefined) continue;
    const { address, scheme } = fields.address;
    const protocol = upstreamProtocol(work, scheme, fields.protocol, path);
    const tls = compileUpstreamTls(work, name, fields.address, fields.tls, [...path, "tls"]);
    if (tls === undefined) continue;
    if (address.type === "tcp" && tls === null && !isLoopback(address.host)) {
      work.warning(
        "in_the_clear",
        "plain HTTP to another machine: who listens on the way reads requests, and who reaches the service goes round postern",
        [...path, "address"],
      );
    }
    const upstream: UpstreamSettings = {
      name,
      address,
      protocol,
      tls,
      connectTimeoutMs: fields.connectTimeout ?? DEFAULTS.connectTimeoutMs,
      writeTimeoutMs: fields.writeTimeout ?? DEFAULTS.upstreamWriteTimeoutMs,
      responseTimeoutMs: fields.responseTimeout ?? DEFAULTS.responseTimeoutMs,
      streamDurationMaxMs: fields.streamMaxDuration ?? Number.POSITIVE_INFINITY,
      headBytesMax: fields.maxHeadBytes ?? DEFAULTS.headBytesMax,
      headersCountMax: fields.maxHeaders ?? DEFAULTS.headersCountMax,
      idleTimeoutMs: fields.idleTimeout ?? DEFAULTS.upstreamIdleTimeoutMs,
      streamIdleTimeoutMs: fields.streamIdleTimeout ?? DEFAULTS.streamIdleTimeoutMs,
      connectionsMax: fields.maxConnections ?? DEFAULTS.upstreamConnectionsMax,
    };
    work.upstreams.set(name, upstream);
    if (fields.healthCheck !== undefined) {
      sections.get().compileHealthCheck(work, upstream, fields.healthCheck, [...path, "healthCheck"]);
    }
  }
}

/** Section `memory`. What the machine grants holds too, so that a larger word here is of no use. */
function compileMemory(work: Work): void {
  const path: Path = ["memory"];
  work.memoryBytesMax = work.reader.fields(memoryShape, path).maxBytes ?? null;
  const { machineBytes, isGranted } = work.memory;
  if (work.memoryBytesMax === null || !isGranted || work.memoryBytesMax <= machineBytes) return;
  const granted = `${Math.floor(machineBytes / 1024 ** 2)}MiB`;
  work.warning("memory_capped", `the machine grants this process ${granted}, which is what counts`, [
    ...path,
    "maxBytes",
  ]);
}

/** Two ends of this policy on one address: a port taken twice, requests that go round, an admin port in the open. */
export function* checkAddresses(work: Work): Steps<void> {
  const { address: admin, probes, metrics } = work.admin;
  const { document } = work.reader;
  for (const { address, place } of work.sockets) {
    if (address.type !== "tcp") continue;
    if (admin !== null && collide(address, admin)) {
      work.problem(`the listener at line ${place.line} takes the address of the admin port`, ["admin"]);
    }
    if (probes !== null && collide(address, probes)) {
      work.problem(`the listener at line ${place.line} takes this address`, ["admin", "probes"]);
    }
    if (metrics !== null && collide(address, metrics)) {
      work.problem(`the listener at line ${place.line} takes this address`, ["metrics"]);
    }
  }
  for (const [name, { address }] of work.upstreams) {
    yield;
    const path = ["upstreams", name, "address"];
    for (const { address: own, place } of work.sockets) {
      const isSame =
        own.type === "tcp" && address.type === "tcp"
          ? reaches(address, own)
          : own.type === "unix" && address.type === "unix" && own.path === address.path;
      if (isSame) work.problem(`the listener at line ${place.line} is here: requests would go round for ever`, path);
    }
    if (address.type === "tcp" && admin !== null && reaches(address, admin)) {
      const line = document.place(["admin"]).line;
      work.problem(`the admin port of line ${line} is here: routes would lay it open`, path);
    }
  }
}

/** Section `authenticators`. */
export function* compileAuthenticators(work: Work): Steps<void> {
  const types = work.registry.authenticators.map((kind) => kind.type);
  for (const name of work.reader.names(["authenticators"])) {
    yield;
    if (work.problems.isFull) return;
    work.authenticators.defined.add(name);
    const path = ["authenticators", name];
    if (work.reader.keys(path) === null) continue;
    const type = work.reader.raw([...path, "type"]);
    const kind = work.registry.authenticators.find((one) => one.type === type);
    if (type === undefined) work.problem(`'type' is missing; expected one of: ${types.join(", ")}`, path);
    else if (kind === undefined) {
      const hint = nearestHint(typeof type === "string" ? type : "", types);
      work.problem(`this type of authenticator does not exist; ${hint}`, [...path, "type"]);
    } else {
      const parts = work.reader.readParts(kind.schema, work.reader.raw(path), path);
      if (parts === null) continue;
      const context = salvageContext(
        work.context((inner) => [...path, ...inner]),
        parts,
      );
      const compiled = yield* stepsOf(kind.compile(name, parts.settings, context));
      if (compiled !== null && parts.lost.length === 0) work.authenticators.set(name, compiled);
    }
  }
}

/**
 * In a policy with problems a use may stand where nothing looked for it: under a misspelt key, or in a route that is
 * `public` as well. Any text that is a definition's name counts there, and so does a listener without an upstream as
 * one that means the only one.
 */
function* findMentions({ reader, upstreams }: Work): Steps<ReadonlySet<string>> {
  const mentioned = new Set<string>(upstreams.defined.size === 1 ? upstreams.defined : []);
  const sections = (reader.keys([]) ?? []).filter((key) => !DEFINING.some((one) => one === key));
  const left: unknown[] = sections.map((key) => reader.raw([key]));
  let looked = 0;
  for (let value = left.pop(); value !== undefined; value = left.pop()) {
    if (++looked % STEP_VALUES === 0) yield;
    if (typeof value === "string") mentioned.add(value);
    else if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) left.push(inner);
  }
  return mentioned;
}

/** Section `decisionServices`. */
export function* compileDecisionServices(work: Work): Steps<void> {
  yield* compileEntries(work, "decisionServices", work.registry.decisionService, work.decisionServices);
}

/** Section `detectors`. */
export function* compileDetectors(work: Work): Steps<void> {
  if (work.reader.raw(["detectors"]) === undefined) return;
  yield* compileEntries(work, "detectors", work.registry.detector, work.detectors);
}

/** Values looked at between two yields. */
const STEP_VALUES = 512;

/** Sections whose entries others name. */
export const DEFINING = [
  "upstreams",
  "authenticators",
  "roles",
  "limits",
  "plans",
  "stores",
  "decisionServices",
  "detectors",
] as const;

/** What callers of a file may be given there, by name. */
const GIVEN_IN_FILES: ReadonlySet<string> = new Set(["roles", "limits", "plans"]);

/** What is defined and never asked for looks like a rule that somebody believes to be in force. */
export function* warnUnused(work: Work): Steps<void> {
  const mentioned = work.isWhole ? new Set<string>() : yield* findMentions(work);
  for (const section of DEFINING) {
    if (GIVEN_IN_FILES.has(section) && !work.hasAllAuthenticators) continue;
    for (const name of work[section].unused()) {
      yield;
      if (work.warnings.isFull) return;
      if (mentioned.has(name)) continue;
      work.warnings.add(
        "unused_definition",
        work.reader.document.keyPlace([section, name]),
        `'${name}' is defined but nothing uses it`,
      );
    }
  }
  for (const [name, { type }] of work.authenticators) {
    if (type !== "client-certificate") continue;
    if (!asksForCertificates(work) && work.isWhole) {
      const text = `no listener asks for client certificates, so '${name}' lets nobody in`;
      work.warnings.add("certificates_not_asked", work.reader.document.keyPlace(["authenticators", name]), text);
    }
  }
}
