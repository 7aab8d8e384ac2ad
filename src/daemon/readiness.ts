import { HEALTH_CHECK } from "../health/probe.ts";
import type { Snapshot } from "../policy/snapshot.ts";
import type { ResourceStatus } from "../resources/resource.ts";
import type { FigureSources } from "../telemetry/figures.ts";

/** Why the process is not ready; closed, for the port for probes tells it to whoever asks. */
export const NOT_READY = {
  starting: "no policy is in force yet; wait, or see the log for its problems",
  draining: "told to end, requests under way finish; nothing is to be done",
  certificate_expired: "see the lines below; renew it, for the file is watched",
  certificate_pending: "the SPIFFE agent has given no certificate yet; see whether it runs and knows this workload",
  keys_missing:
    "no keys have come by which tokens are verified; see whether the identity provider is reached from here",
  upstream_unknown: "no health check of the service has passed yet; wait, or see below what it says",
  upstream_unhealthy: "the service fails its health checks; see below what it says, and its own log",
} as const;

export type NotReady = keyof typeof NOT_READY;

export const NOT_READY_REASONS = Object.keys(NOT_READY) as readonly NotReady[];

/** Kinds of resources that tokens are verified by. */
const KEYS: ReadonlySet<string> = new Set(["key set", "SPIFFE JWT bundle"]);

export interface ReadinessFacts {
  /** Of the policy in force; null before the first. */
  readonly snapshot: Pick<Snapshot, "admin"> | null;
  readonly isEnding: boolean;
  readonly hasExpiredCertificate: boolean;
  readonly resources: readonly ResourceStatus[];
}

/** Each once; none where the process is ready. */
export function notReady({ snapshot, isEnding, hasExpiredCertificate, resources }: ReadinessFacts): Set<NotReady> {
  const reasons = new Set<NotReady>();
  if (snapshot === null) return reasons.add("starting");
  if (isEnding) reasons.add("draining");
  if (!snapshot.admin.readyWithExpiredCertificate && hasExpiredCertificate) reasons.add("certificate_expired");
  for (const one of resources) {
    if (one.freshAtMs !== null) continue;
    if (one.kind === HEALTH_CHECK && one.gatesReadiness === true)
      reasons.add(one.state === "failing" ? "upstream_unhealthy" : "upstream_unknown");
    else if (one.gatesReadiness === true) reasons.add("certificate_pending");
    else if (!snapshot.admin.readyWithoutKeys && KEYS.has(one.kind)) reasons.add("keys_missing");
  }
  return reasons;
}

/** Each reason, for metrics. */
export function everyReason(reasons: ReadonlySet<NotReady>): ReadonlyMap<NotReady, boolean> {
  return new Map(NOT_READY_REASONS.map((reason) => [reason, reasons.has(reason)]));
}

/** What is said behind `?verbose`, one line each. */
export function notReadyLines(reasons: Iterable<NotReady>): string[] {
  return Array.from(reasons, (reason) => `${reason}: ${NOT_READY[reason]}`);
}

/** The same of `/livez`, which says yes as long as it says anything: what a process that is alive and slow is held up by. */
export function livenessLines({ thread, processFigures, memory }: FigureSources): string[] {
  const lines: string[] = [];
  if (thread !== null)
    lines.push(`thread: held for ${Math.round(thread.longestMs)} ms at most, at a time, in the last minute`);
  const figures = processFigures?.() ?? null;
  if (figures === null) return lines;
  lines.push(`memory: ${mebibytes(figures.residentBytes)} of ${mebibytes(memory.limitBytes)}`);
  if (figures.openFds !== null) lines.push(`files: ${figures.openFds} of ${figures.maxFds ?? "any number"} open`);
  return lines;
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MiB`;
}
