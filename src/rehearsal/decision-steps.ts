import { PHASES, type Phase } from "../decision/phases.ts";
import { REASONS } from "../decision/reason.ts";
import type { CertificateFacts, DecisionFacts, DenialFacts } from "../records/decision-facts.ts";
import type { Step } from "../records/step.ts";
import { excerpt } from "../support/excerpt.ts";
import type { Explanation } from "./explanation.ts";

/** What became of one request of a running postern, told as `explain` tells of one that nobody sent. */
export function decisionExplanation(facts: DecisionFacts): Explanation {
  const { verdict, reason, denial, status, route } = facts;
  return {
    request: `${facts.method} ${facts.path}${queryText(facts)}`,
    policyHash: facts.policyHash,
    steps: stepsOf(facts),
    verdict: {
      allowed: verdict === "allow",
      reason: verdict === "allow" ? null : reason,
      status: verdict === "allow" ? null : status,
      place: denial?.place ?? null,
      route,
    },
    hint: hintOf(facts),
  };
}

/** Values are nobody's to read. */
function queryText({ query }: DecisionFacts): string {
  return query.length === 0 ? "" : `?${query.map((name) => `${name}=…`).join("&")}`;
}

function hintOf({ verdict, reason, status, trace }: DecisionFacts): string | null {
  if (verdict === "allow" && reason !== null) return `no whole answer reached the client: ${reason} (${status})`;
  return trace === undefined ? "checks that let it pass are told of a trace alone: postern explain --next" : null;
}

function stepsOf(facts: DecisionFacts): Step[] {
  const checks = facts.trace ?? [...facts.audited.map((one) => denialStep(one, "audit")), ...ownSteps(facts)];
  const admitted = checks.filter(({ phase }) => phase === "admit");
  const later = checks.filter(({ phase }) => phase !== "admit");
  return [
    ...openingSteps(facts),
    ...admitted,
    ...routeSteps(facts),
    ...callerSteps(facts),
    ...later.toSorted((a, b) => PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase)),
    ...lateDenial(facts),
    answerStep(facts),
  ];
}

function info(phase: Phase, check: string, saw: string, place: string | null = null): Step {
  return { phase, check, result: "info", place, saw, wanted: null };
}

function openingSteps({ secure, client, certificate, path, host, id, atMs }: DecisionFacts): Step[] {
  const identity = certificate === null ? "no client certificate" : certificateText(certificate);
  return [
    info("accept", "decision", `${id} at ${timeText(atMs)}`),
    info("accept", "connection", `${secure ? "TLS" : "plain HTTP"} from ${client}, ${identity}`),
    info("admit", "target", path === "" ? "no reading" : `${path} on host ${host}`),
  ];
}

function timeText(atMs: number): string {
  const date = new Date(atMs);
  return Number.isNaN(date.getTime()) ? "no time" : date.toISOString();
}

function certificateText({ subject, untrusted }: CertificateFacts): string {
  return `${subject}, ${untrusted === null ? "trusted" : `not trusted (${untrusted})`}`;
}

function routeSteps({ route, place, version }: DecisionFacts): Step[] {
  if (place === null) return [];
  return [info("match", "route", `${route}${version === null ? "" : `, version ${version}`}`, place)];
}

function callerSteps({ principal }: DecisionFacts): Step[] {
  if (principal === null) return [];
  const { id, type, authenticator, scopes, roles, groups, claims } = principal;
  const list = (name: string, items: readonly string[]): string[] =>
    items.length === 0 ? [] : [`${name} ${items.join(" ")}`];
  const told = Object.entries(claims).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  const facts = [...list("scopes", scopes), ...list("roles", roles), ...list("groups", groups), ...told];
  const saw = [`${type} '${id}' by ${authenticator}`, ...facts].join("; ");
  return [info("authenticate", "caller", excerpt(saw, CALLER_CHARS_MAX))];
}

const CALLER_CHARS_MAX = 400;

function ownSteps({ denial, verdict }: DecisionFacts): Step[] {
  return denial === null || verdict !== "deny" ? [] : [denialStep(denial, "deny")];
}

/** What ended it after it was let in. */
function lateDenial({ denial, verdict }: DecisionFacts): Step[] {
  return denial === null || verdict === "deny" ? [] : [{ ...denialStep(denial, "deny"), phase: "respond" }];
}

function denialStep({ reason, place, rule, seen, wanted }: DenialFacts, result: "deny" | "audit"): Step {
  const key = keyOf(rule ?? "");
  const phase = phaseOf(key, reason);
  return { phase, check: key ?? reason, result, place, saw: seen, wanted };
}

/** Which phase a rule of the policy judges in, by the key that it stands under. */
const PHASE_OF_KEY: Readonly<Record<string, Phase>> = {
  address: "admit",
  bots: "admit",
  bans: "admit",
  authenticate: "authenticate",
  revoked: "authenticate",
  authorize: "authorize",
  decide: "authorize",
  deprecated: "authorize",
  limit: "limit",
  validate: "validate",
  detect: "validate",
  rewrite: "rewrite",
  response: "respond",
};

/** What of a rule stands in a section of its own, by the name of the check that asks it. */
const KEY_OF_SECTION: Readonly<Record<string, string>> = {
  authenticators: "authenticate",
  decisionServices: "decide",
  detectors: "detect",
  limits: "limit",
};

function keyOf(rule: string): string | undefined {
  const parts = rule.split(/[.[\]]+/);
  const [section = ""] = parts;
  if (Object.hasOwn(KEY_OF_SECTION, section)) return KEY_OF_SECTION[section];
  return parts.find((part) => Object.hasOwn(PHASE_OF_KEY, part));
}

function phaseOf(key: string | undefined, reason: DenialFacts["reason"]): Phase {
  if (REASONS[reason].source === "upstream") return "respond";
  const phase = key === undefined ? undefined : PHASE_OF_KEY[key];
  if (phase !== undefined) return phase;
  return /^(?:route_not_found|method_not_allowed|version_\w+)$/.test(reason) ? "match" : "admit";
}

function answerStep({ status, durationMs, decisionUs, requestBytes, responseBytes }: DecisionFacts): Step {
  const bytes = `${requestBytes} bytes of body in, ${responseBytes} out`;
  return info("respond", "answer", `${status} after ${durationMs} ms, judged after ${decisionUs} µs; ${bytes}`);
}
