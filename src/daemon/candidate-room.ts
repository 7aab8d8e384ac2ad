import type { Place } from "../decision/verdict.ts";
import type { CandidateSettings, ListenerSettings, Snapshot, UpstreamSettings } from "../policy/snapshot.ts";
import type { AdminRoom } from "../resources/admin-room.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { JsonObject } from "../support/json.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { CandidateCounts, CountedRefusals, DifferenceCounts } from "../telemetry/candidate-counts.ts";
import type { CandidateStatus } from "./policy-in-force.ts";

export interface CandidateRoomSource {
  status(): CandidateStatus | null;
  settings(): CandidateSettings | null;
  live(): Snapshot;
  snapshot(): Snapshot | null;
  counts(): CandidateCounts | null;
  promote(): Promise<Result<{ readonly previous: string; readonly hash: string }, string>>;
}

/** `/candidate`: what the policy that is tried says of real requests, and `promote`, which puts it in place of the one in force. */
export function candidateRoom(source: CandidateRoomSource): AdminRoom {
  return {
    path: "/candidate",
    show: () => {
      const [status, settings] = [source.status(), source.settings()];
      if (status === null || settings === null)
        return err({ status: 404, text: "the policy that runs has no candidate" });
      const [counts, snapshot] = [source.counts(), source.snapshot()];
      return ok({
        file: status.file,
        hash: status.hash,
        policyHash: source.live().hash,
        problems: [...status.problems],
        share: settings.share,
        cpuShare: settings.cpuShare,
        notTried: snapshot === null ? [] : sectionsApart(source.live(), snapshot),
        ...(counts === null ? {} : countsShown(counts)),
      });
    },
    acts: {
      promote: async () => {
        const done = await source.promote();
        return done.ok
          ? ok({ promoted: done.value.hash, previous: done.value.previous })
          : err({ status: 400, text: done.error });
      },
    },
  };
}

function countsShown(counts: CandidateCounts): JsonObject {
  const differences = [...counts.differences.values()].sort((a, b) => b.count - a.count);
  return {
    requests: { ...counts.results },
    unknown: counts.unknown.list.map((one) => ({ ...one })),
    differences: differences.map(shown),
    otherDifferences: counts.otherDifferences,
    refusals: [...counts.refusals.values()].map(refusalsShown),
    untried: [...counts.untried].map(([route, checks]) => ({
      route,
      checks: checks.map(({ check, place }) => ({ check, place: placeText(place) })),
    })),
    spentMs: Math.round(counts.spentMs),
  };
}

function shown({ first, count, callers, examples }: DifferenceCounts): JsonObject {
  const { route, candidateRoute, live, candidate, livePlace, candidatePlace } = first;
  return {
    route,
    candidateRoute,
    live,
    candidate,
    livePlace: placeText(livePlace),
    candidatePlace: placeText(candidatePlace),
    count,
    callers: callers.list.filter((one) => one.count > 0).map((one) => ({ ...one })),
    otherCallers: callers.other,
    examples: examples.map(({ atMs, ...one }) => ({ ...one, at: new Date(atMs).toISOString() })),
  };
}

/** `isAlike`: two that count did not begin together, and did not see the same moments. */
function refusalsShown({
  route,
  reason,
  live,
  candidate,
  livePlace,
  candidatePlace,
  callers,
}: CountedRefusals): JsonObject {
  const { candidateCountedSlack: slack, candidateCountedShare: share } = DEFAULTS;
  return {
    route,
    reason,
    live,
    candidate,
    livePlace: placeText(livePlace),
    candidatePlace: placeText(candidatePlace),
    isAlike: Math.abs(live - candidate) <= slack + share * Math.max(live, candidate),
    callers: callers.list.filter((one) => one.count > 0).map((one) => ({ ...one })),
    otherCallers: callers.other,
  };
}

function placeText(place: Place | null): string | null {
  return place === null ? null : `${place.file}:${place.line}:${place.column}`;
}

/** Sections that differ and are not tried: a candidate opens nothing. */
function sectionsApart(live: Snapshot, candidate: Snapshot): string[] {
  const sections = {
    listeners: ({ listeners }: Snapshot) => listeners.map(listenerFacts),
    upstreams: ({ upstreams }: Snapshot) => [...upstreams.values()].map(upstreamFacts),
    admin: ({ admin: { address, probes, hosts } }: Snapshot) => ({ address, probes, hosts }),
  };
  return Object.entries(sections).flatMap(([name, facts]) =>
    JSON.stringify(facts(live)) === JSON.stringify(facts(candidate)) ? [] : [name],
  );
}

function listenerFacts({ place, trustedProxies, handshakes, tls, proxyProtocol, ...facts }: ListenerSettings): object {
  return { ...facts, tls: tls?.fingerprint ?? null, hasProxyProtocol: proxyProtocol !== null };
}

function upstreamFacts({ tls, ...facts }: UpstreamSettings): object {
  return { ...facts, tls: tls?.fingerprint ?? null };
}
