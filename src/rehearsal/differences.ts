import { REASONS } from "../decision/reason.ts";
import { Denial } from "../decision/verdict.ts";
import type { Exchange } from "../message/exchange.ts";
import { type Expectation, HANDSHAKE } from "../policy/tests/expect-section.ts";
import { OwnAnswer } from "../proxy/own-page.ts";
import type { Outcome, Subject } from "../proxy/pipeline.ts";
import type { ClientAnswer } from "./rehearsed-answer.ts";

/** What became of a request of a test. */
export interface Verdict {
  /** Null: it was passed on, or answered as the policy says. */
  readonly reason: string | null;
  /** Null where nobody is known to answer. */
  readonly status: number | null;
  /** Keys of the place that refused. */
  readonly rule: string | null;
  readonly route: string | null;
  readonly problems: readonly string[];
  /** Of checks that only audit and would have refused. */
  readonly audited: readonly string[];
  /** Nobody's but the client's to mend. */
  readonly isClients: boolean;
}

/** One thing that is another than a test expects. */
export interface Difference {
  readonly what: string;
  readonly expected: string;
  readonly found: string;
}

/** `answer`: what the client got, where that was asked for. */
export function verdictOf(
  subject: Subject | null,
  judged: Outcome | null,
  answer: Pick<ClientAnswer, "denial" | "status"> | null,
): Verdict {
  const route = subject?.route?.template ?? null;
  if (judged === null) return { ...bare(HANDSHAKE, route), isClients: true };
  const outcome = answer?.denial ?? judged;
  const audited = (subject?.exchange.audited ?? []).map(({ reason }) => reason);
  if (!(outcome instanceof Denial)) {
    const own = outcome instanceof OwnAnswer ? outcome.status : null;
    return { ...bare(null, route), status: answer?.status ?? own, audited };
  }
  const { status: usual, source } = REASONS[outcome.reason];
  const status = answer?.status ?? usual;
  const problems = outcome.body.errors.map(({ in: part, name, pointer }) =>
    part === undefined ? pointer : `${part}.${name ?? ""}${pointer}`,
  );
  const rule = outcome.place?.path ?? null;
  return { reason: outcome.reason, status, rule, route, problems, audited, isClients: source === "client" };
}

/** Of a request that never became one, as its target has two readings. */
export function unreadable(reason: keyof typeof REASONS): Verdict {
  return { ...bare(reason, null), status: REASONS[reason].status, isClients: true };
}

function bare(reason: string | null, route: string | null): Verdict {
  return { reason, status: null, rule: null, route, problems: [], audited: [], isClients: false };
}

/** All that is another than expected; `sent`: what the service gets, where the request is passed on. */
export function differencesOf(expect: Expectation, verdict: Verdict, sent: Sent | null): readonly Difference[] {
  const outcome = outcomeDifference(expect, verdict);
  // Of another outcome all else is another too, and tells nothing.
  if (outcome !== null) return [outcome];
  const found: Difference[] = [];
  const compare = (what: string, expected: string, value: string | null): void => {
    if (value !== expected) found.push({ what, expected, found: value ?? "none" });
  };
  if (expect.status !== undefined) compare("status", String(expect.status), verdict.status?.toString() ?? null);
  if (expect.route !== undefined) compare("route", expect.route, verdict.route);
  if (expect.rule !== undefined && !isWithin(verdict.rule, expect.rule)) compare("rule", expect.rule, verdict.rule);
  for (const problem of expect.problems ?? []) {
    if (!verdict.problems.includes(problem)) {
      found.push({ what: "problem", expected: problem, found: verdict.problems.join(", ") || "none" });
    }
  }
  for (const reason of expect.audited ?? []) {
    if (verdict.audited.includes(reason)) continue;
    found.push({ what: "audited", expected: reason, found: verdict.audited.join(", ") || "none" });
  }
  return [...found, ...sentDifferences(expect, sent)];
}

function outcomeDifference({ allow, deny }: Expectation, { reason, isClients }: Verdict): Difference | null {
  const got = reason === null ? "allow" : `deny ${reason}`;
  if (allow === true) return reason === null ? null : { what: "outcome", expected: "allow", found: got };
  const wanted = Array.isArray(deny) ? deny : [deny];
  const isMet = deny === true ? reason !== null && isClients : wanted.some((one) => one === reason);
  const words = deny === true ? "deny, for what the client did" : `deny ${wanted.join(" or ")}`;
  return isMet ? null : { what: "outcome", expected: words, found: got };
}

/** `routes[1].authorize` is met by `routes[1].authorize.scopes`. */
function isWithin(rule: string | null, expected: string): boolean {
  return rule?.startsWith(expected) === true && /^(?:$|[.[])/.test(rule.slice(expected.length));
}

/** What the service gets. */
export interface Sent {
  readonly lines: readonly string[];
  readonly path: string;
}

/** Null where the service gets nothing. */
export function sentOf(subject: Subject | null, outcome: Outcome | null): Sent | null {
  const route = subject?.route ?? null;
  if (subject === null || route === null || outcome instanceof Denial || outcome instanceof OwnAnswer) return null;
  const { exchange } = subject;
  const lines = `${route.rewriteRequest(exchange.headers, exchange)}${exchange.serviceLines}`.split("\r\n");
  return { lines, path: pathOf(exchange, route.rewriteQuery) };
}

function pathOf(exchange: Exchange, rewriteQuery: ((query: string, version: string | null) => string) | null): string {
  const { path, query } = exchange.upstreamTarget ?? {
    path: exchange.target.path,
    query: rewriteQuery?.(exchange.target.query, exchange.version) ?? exchange.target.query,
  };
  return `${path}${query}`;
}

function sentDifferences({ upstream }: Expectation, sent: Sent | null): readonly Difference[] {
  if (upstream === undefined) return [];
  if (sent === null)
    return [{ what: "upstream", expected: "a request for the service", found: "an answer of postern's own" }];
  const found: Difference[] = [];
  if (upstream.path !== undefined && upstream.path !== sent.path) {
    found.push({ what: "upstream path", expected: upstream.path, found: sent.path });
  }
  return [...found, ...headerDifferences("header", upstream.headers ?? {}, sent.lines)];
}

/** `lines`: `name: value`, several of one name as a list. */
export function headerDifferences(
  what: string,
  expected: Readonly<Record<string, string | null>>,
  lines: readonly string[],
): readonly Difference[] {
  return Object.entries(expected).flatMap(([name, wanted]) => {
    const values = valuesOf(lines, name);
    const value = values.length === 0 ? null : values.join(", ");
    if (value === wanted) return [];
    return [{ what: `${what} ${name}`, expected: wanted ?? "no such header", found: value ?? "no such header" }];
  });
}

function valuesOf(lines: readonly string[], name: string): string[] {
  const prefix = `${name.toLowerCase()}:`;
  return lines.filter((line) => line.toLowerCase().startsWith(prefix)).map((line) => line.slice(prefix.length).trim());
}
