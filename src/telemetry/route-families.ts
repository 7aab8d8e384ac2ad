import { ANSWER_ACTIONS } from "../message/answer-count.ts";
import { DEPRECATED_OUTCOMES } from "../message/deprecated-use.ts";
import { candidateFamilies } from "./candidate-families.ts";
import { histogramSamples, type LongFamily } from "./long-family.ts";
import type { Metrics } from "./metrics.ts";

/** Families with a series for each route, and histograms: what the registry does not have. */
export function longFamilies(metrics: Metrics): readonly LongFamily[] {
  return [
    {
      name: "postern_requests_total",
      help: "Requests by outcome; reason none is the service's own answer.",
      *samples() {
        for (const { listener, upstream, route, method, statusClass, ...rest } of metrics.requests.series()) {
          const { reason, source, value } = rest;
          yield { labels: { listener, upstream, route, method, status_class: statusClass, reason, source }, value };
        }
      },
    },
    {
      name: "postern_request_seconds",
      help: "From the first byte of the head to the end, by route.",
      type: "histogram",
      *samples() {
        for (const { listener, upstream, route, times } of metrics.requests.times()) {
          yield* histogramSamples({ listener, upstream, route }, times);
        }
      },
    },
    {
      name: "postern_upstream_seconds",
      help: "From forwarding to the head of the service's answer.",
      type: "histogram",
      *samples() {
        for (const { listener, upstream, times } of metrics.requests.answerTimes()) {
          yield* histogramSamples({ listener, upstream }, times);
        }
      },
    },
    {
      name: "postern_decision_seconds",
      help: "From the first byte of the head to the verdict.",
      type: "histogram",
      *samples() {
        for (const { name, decision } of metrics.listeners.values())
          yield* histogramSamples({ listener: name }, decision);
      },
    },
    {
      name: "postern_audited_denials_total",
      help: "Denials of checks in audit mode, which were not enforced.",
      *samples() {
        for (const { route, check, reason, cell } of metrics.audited.values()) {
          yield { labels: { route, check, reason }, value: cell.value };
        }
      },
    },
    {
      name: "postern_ladder_denials_total",
      help: "Denials of each check of the policy that does not enforce, or not for everybody.",
      *samples() {
        for (const { check, rule, total } of metrics.ladder.steps) yield { labels: { check, rule }, value: total };
      },
    },
    {
      name: "postern_ladder_caller_denials",
      type: "gauge",
      help: "The same by caller: at least so many of those who had most, and of all others together.",
      *samples() {
        for (const { check, rule, callers } of metrics.ladder.steps) {
          if (callers.total === 0) continue;
          for (const { key, count } of callers.list) yield { labels: { check, rule, caller: key }, value: count };
          yield { labels: { check, rule, caller: "other" }, value: callers.other };
        }
      },
    },
    ...candidateFamilies(metrics),
    {
      name: "postern_list_denials_total",
      help: "Requests that a list of the policy met, as one of addresses does.",
      *samples() {
        for (const { list, reason, result, cell } of metrics.lists.values()) {
          yield { labels: { list, reason, result }, value: cell.value };
        }
      },
    },
    {
      name: "postern_leaks_total",
      help: "Values that were not to be seen, in requests and answers.",
      *samples() {
        for (const { route, way, kind, action, cell } of metrics.leaks.values()) {
          yield { labels: { route, in: way, kind, action }, value: cell.value };
        }
      },
    },
    {
      name: "postern_detected_total",
      help: "Rules that matched, in requests and answers.",
      *samples() {
        for (const { route, way, category, rule, cell } of metrics.detected.values()) {
          yield { labels: { route, in: way, category, rule }, value: cell.value };
        }
      },
    },
    {
      name: "postern_response_fields_total",
      help: "Fields of answers that were removed, and values that were masked.",
      *samples() {
        for (const [route, totals] of metrics.answers) {
          for (const action of ANSWER_ACTIONS) {
            if (action !== "unread") yield { labels: { route, action }, value: totals[action] };
          }
        }
      },
    },
    {
      name: "postern_response_unread_total",
      help: "Times that a rule could not look into an answer, which passed as the policy says.",
      *samples() {
        for (const [route, { unread }] of metrics.answers) yield { labels: { route }, value: unread };
      },
    },
    {
      name: "postern_deprecated_requests_total",
      help: "Requests for what is deprecated, by how they went.",
      *samples() {
        for (const { route, version, counts } of metrics.deprecated.values()) {
          const labels = version === null ? { route } : { route, version };
          for (const outcome of DEPRECATED_OUTCOMES) yield { labels: { ...labels, outcome }, value: counts[outcome] };
        }
      },
    },
  ];
}
