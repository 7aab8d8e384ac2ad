import { CANDIDATE_RESULTS } from "./candidate-counts.ts";
import type { LongFamily } from "./long-family.ts";
import type { Metrics } from "./metrics.ts";

/** What a policy that is tried beside the one in force says; without samples where there is none. */
export function candidateFamilies({ candidate }: Metrics): readonly LongFamily[] {
  const counts = candidate?.counts ?? null;
  return [
    {
      name: "postern_candidate_refused",
      type: "gauge",
      help: "1 while the candidate's file has problems, so that it does not judge.",
      *samples() {
        if (candidate !== null) yield { labels: {}, value: counts === null ? 1 : 0 };
      },
    },
    {
      name: "postern_candidate_requests_total",
      help: "Requests of the sample that the candidate was to judge, by what came of it.",
      *samples() {
        if (counts === null) return;
        const { hash, results } = counts;
        for (const result of CANDIDATE_RESULTS) yield { labels: { hash, result }, value: results[result] };
      },
    },
    {
      name: "postern_candidate_differences_total",
      help: "Requests of which the policy in force and the candidate say different things: allow, or a reason.",
      *samples() {
        if (counts === null) return;
        for (const { first, count } of counts.differences.values()) {
          const { route, live, candidate: said } = first;
          yield { labels: { route, live, candidate: said }, value: count };
        }
        if (counts.otherDifferences > 0)
          yield { labels: { route: "overflow", live: "other", candidate: "other" }, value: counts.otherDifferences };
      },
    },
    {
      name: "postern_candidate_seconds_total",
      help: "Time that the candidate took.",
      *samples() {
        if (counts !== null) yield { labels: { hash: counts.hash }, value: counts.spentMs / 1000 };
      },
    },
  ];
}
