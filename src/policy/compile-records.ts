import type { z } from "zod";
import { attributeOf, namesSecret } from "../attributes/attribute.ts";
import { parseClaimPath } from "../attributes/claim-path.ts";
import { AuditLog } from "../records/audit-log.ts";
import { DebugHeader } from "../records/debug-header.ts";
import type { RecordSubscriber } from "../records/decision-records.ts";
import { DecisionRecords } from "../records/decision-records.ts";
import { decisionsRoom } from "../records/decisions-room.ts";
import type { ShownClaim } from "../records/facts-pieces.ts";
import { RecentDecisions } from "../records/recent-decisions.ts";
import { RecordFile } from "../records/record-file.ts";
import { Tracer } from "../records/tracer.ts";
import type { AdminRoom } from "../resources/admin-room.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Steps } from "../support/turns.ts";
import type { Anomalies } from "./compile-anomalies.ts";
import type { Inventory } from "./compile-inventory.ts";
import type { Path } from "./path.ts";
import { auditShape, decisionsSchema, type decisionsShape, recordShape } from "./record-schema.ts";
import { credentialFrom } from "./shown-credential.ts";
import type { Work } from "./work.ts";

const PATH: Path = ["decisions"];

type Settings = z.output<z.ZodObject<typeof decisionsShape>>;

/** What is kept of decisions, and who gets their facts. */
export function* compileRecords(work: Work, inventory: Inventory | null, anomalies: Anomalies | null): Steps<void> {
  const value = work.reader.raw(PATH);
  const read = value === undefined ? {} : work.reader.read(decisionsSchema, value, PATH);
  if (read === undefined) return;
  const isOff = read === "off";
  const settings: Settings = read === "off" ? {} : read;
  const claims = shownClaims(work, settings.claims ?? []);
  const headers = shownHeaders(work, settings.headers ?? []);
  const query = shownParameters(work, settings.query ?? []);
  const subscribers: RecordSubscriber[] = [];
  const rooms: AdminRoom[] = [];
  const kept = isOff || work.admin.address === null ? null : yield* keptDecisions(work, settings);
  if (kept !== null) {
    subscribers.push(kept.recent);
    rooms.push(decisionsRoom(kept.recent, kept.tracer, work.inputs.clock));
  }
  const record = recordOf(work);
  if (record !== null) subscribers.push(record);
  const audit = auditOf(work);
  if (audit !== null) subscribers.push(audit);
  const debug = debugOf(work, settings);
  const watching = [inventory, anomalies].filter((one) => one !== null);
  for (const { room } of watching) rooms.push(room);
  const observers = watching.map(({ observer }) => observer);
  if (subscribers.length === 0 && debug === null && observers.length === 0) return;
  const tracer = kept?.tracer ?? null;
  work.records = new DecisionRecords(
    {
      subscribers,
      observers,
      settings: { claims, headers, query },
      tracer,
      rooms,
      debug,
      audit,
      anomalies: anomalies?.watch ?? null,
    },
    work.inputs.clock,
  );
}

/** Key `debugHeader`. */
function debugOf(work: Work, { debugHeader }: Settings): DebugHeader | null {
  if (debugHeader === undefined) return null;
  const path: Path = [...PATH, "debugHeader", "key"];
  const key = work.secret(debugHeader.key, path);
  if (key === null) return null;
  if (key.length >= DEFAULTS.debugKeyBytesMin) return new DebugHeader(key, work.inputs.clock);
  work.problem(`a key of ${key.length} bytes; expected at least ${DEFAULTS.debugKeyBytesMin}`, path);
  return null;
}

/** Key `log.audit`. */
function auditOf(work: Work): AuditLog | null {
  const path: Path = ["log", "audit"];
  if (work.reader.raw(path) === undefined) return null;
  const { file, key: reference, denialsPerSecond } = work.reader.fields(auditShape, path);
  const key = reference === undefined ? null : work.secret(reference, [...path, "key"]);
  if (key !== null && key.length < DEFAULTS.auditKeyBytesMin) {
    work.problem(`a key of ${key.length} bytes; expected at least ${DEFAULTS.auditKeyBytesMin}`, [...path, "key"]);
    return null;
  }
  if (file === undefined || (reference !== undefined && key === null)) return null;
  if (file.includes("\0") || file.endsWith("/")) {
    work.problem("expected the name of a file", [...path, "file"]);
    return null;
  }
  const rate = denialsPerSecond ?? DEFAULTS.auditDenialsPerSecond;
  const settings = { file: work.files.absoluteName(file), key, denialsPerSecond: rate };
  const context = work.context((inner) => [...path, ...inner]);
  const canonical = [settings.file, String(rate), key === null ? "none" : "key", key ?? ""];
  return context.resource("audit", canonical, (world) => new AuditLog(settings, world));
}

/** Section `record`. */
function recordOf(work: Work): RecordFile | null {
  const path: Path = ["record"];
  if (work.reader.raw(path) === undefined) return null;
  const { maxBytes, sample, requests } = work.reader.fields(recordShape, path);
  if (work.stateDirectory === null) {
    work.problem("the record is kept in the state folder; expected 'state: { directory: … }' beside it", path);
    return null;
  }
  if (sample === 0) {
    work.problem("nothing is recorded of a share of 0; expected a share, or no 'record'", [...path, "sample"]);
    return null;
  }
  const settings = { bytesMax: maxBytes ?? DEFAULTS.recordBytes, oneIn: sample ?? 1, requests: requests ?? "all" };
  const context = work.context((inner) => [...path, ...inner]);
  return context.resource("record", [JSON.stringify(settings)], (world) => new RecordFile(settings, world));
}

interface Kept {
  readonly recent: RecentDecisions;
  readonly tracer: Tracer;
}

/** They outlive the policy, for whoever asks after one asks later. */
function* keptDecisions(work: Work, settings: Settings): Steps<Kept | null> {
  const { keep = DEFAULTS.decisionsKept, sample = DEFAULTS.decisionsSampleOneIn } = settings;
  return yield* work.kept.get("decisions", [`${keep} ${sample}`], function* () {
    yield;
    return { recent: new RecentDecisions({ keep, sampleOneIn: sample }), tracer: new Tracer(work.inputs.clock) };
  });
}

function shownClaims(work: Work, texts: readonly string[]): readonly ShownClaim[] {
  return texts.flatMap((text, at) => {
    const path = parseClaimPath(text);
    if (!path.ok) {
      work.problem(path.error, [...PATH, "claims", at]);
      return [];
    }
    const attribute = attributeOf(["jwt", ...path.value]);
    if (attribute.ok && attribute.value.shown !== "nowhere") return [{ text, path: path.value }];
    work.problem("a claim of this name may be a secret, which no decision shows", [...PATH, "claims", at]);
    return [];
  });
}

function shownHeaders(work: Work, names: readonly string[]): ReadonlySet<string> {
  for (const [at, name] of names.entries()) {
    const attribute = attributeOf(["request", "headers", name]);
    tellCredential(work, "header", name, [...PATH, "headers", at]);
    if (attribute.ok && attribute.value.shown !== "nowhere") continue;
    work.problem("a header of this name may hold a secret, which no decision shows", [...PATH, "headers", at]);
  }
  return new Set(names);
}

function shownParameters(work: Work, names: readonly string[]): ReadonlySet<string> {
  for (const [at, name] of names.entries()) {
    tellCredential(work, "query", name, [...PATH, "query", at]);
    if (!namesSecret(name)) continue;
    work.problem("a parameter of this name may hold a secret, which no decision shows", [...PATH, "query", at]);
  }
  return new Set(names);
}

function tellCredential(work: Work, where: "header" | "query", name: string, path: Path): void {
  const authenticator = credentialFrom(work.authenticators, where, name);
  if (authenticator !== null)
    work.problem(`authenticator '${authenticator}' takes its credential from there, which no decision shows`, path);
}
