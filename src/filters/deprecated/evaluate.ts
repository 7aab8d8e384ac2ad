import { CONTINUE, EndDenial, type HeaderLine, type Place, type Verdict } from "../../decision/verdict.ts";
import type { DeprecatedOutcome } from "../../message/deprecated-use.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { Rule } from "../authorize/evaluate.ts";
import type { Brownout } from "./schema.ts";

/** Whom the end does not touch yet. */
export interface Exception {
  readonly rule: Rule;
  readonly untilMs: number;
}

/** When a route ends, and what is said of it. Times are Unix milliseconds. */
export interface EndOfLife {
  /** Null where the policy does not say. */
  readonly sinceMs: number | null;
  readonly sunsetMs: number | null;
  readonly successor: string | null;
  readonly announcement: string | null;
  /** By their beginnings. */
  readonly brownouts: readonly Brownout[];
  readonly exceptions: readonly Exception[];
  /** Where `sunset` stands, and each of `brownouts`. */
  readonly sunsetPlace: Place;
  readonly brownoutPlace: Place;
}

/** What is over at a moment, for callers who are no exception; null for nothing. */
function overAt({ sunsetMs, brownouts }: EndOfLife, nowMs: number): { readonly brownout: Brownout | null } | null {
  if (sunsetMs !== null && nowMs >= sunsetMs) return { brownout: null };
  const brownout = brownouts.find(({ fromMs, untilMs }) => nowMs >= fromMs && nowMs < untilMs);
  return brownout === undefined ? null : { brownout };
}

function isExcepted({ exceptions }: EndOfLife, exchange: Exchange, nowMs: number): boolean {
  return exceptions.some(({ rule, untilMs }) => nowMs <= untilMs && rule.judge(exchange, true) === CONTINUE);
}

/** How the request goes, for metrics and the log. */
export function outcomeOf(end: EndOfLife, exchange: Exchange, nowMs: number): DeprecatedOutcome {
  const over = overAt(end, nowMs);
  if (over === null) return "served";
  if (isExcepted(end, exchange, nowMs)) return "excepted";
  return over.brownout === null ? "ended" : "brownout";
}

/** Denies what has ended, and in a brown-out what will. */
export function judgeEnd(end: EndOfLife, exchange: Exchange, nowMs: number): Verdict {
  const over = overAt(end, nowMs);
  if (over === null || isExcepted(end, exchange, nowMs)) return CONTINUE;
  const { brownout } = over;
  const members = membersOf(end);
  if (brownout !== null) {
    const seen = `a request in the brown-out ${timeText(brownout.fromMs)} to ${timeText(brownout.untilMs)}`;
    const seconds = Math.ceil((brownout.untilMs - nowMs) / 1000);
    const headers: readonly HeaderLine[] = [["retry-after", String(seconds)]];
    return new EndDenial(
      "version_brownout",
      end.brownoutPlace,
      seen,
      "a request after it, or of the successor",
      headers,
      members,
    );
  }
  const seen = `a request at ${timeText(nowMs)}`;
  return new EndDenial(
    "version_ended",
    end.sunsetPlace,
    seen,
    `one before ${timeText(end.sunsetMs ?? 0)}`,
    [],
    members,
  );
}

function membersOf({ sunsetMs, successor, announcement }: EndOfLife): Readonly<Record<string, string>> {
  return {
    ...(sunsetMs === null ? {} : { sunset: timeText(sunsetMs) }),
    ...(successor === null ? {} : { successor }),
    ...(announcement === null ? {} : { announcement }),
  };
}

/** Header lines that each answer has: Deprecation (RFC 9745 section 2), Sunset (RFC 8594 section 3). */
export function endLines({ sinceMs, sunsetMs }: EndOfLife): readonly HeaderLine[] {
  const lines: HeaderLine[] = [];
  if (sinceMs !== null) lines.push(["deprecation", `@${Math.floor(sinceMs / 1000)}`]);
  if (sunsetMs !== null) lines.push(["sunset", new Date(sunsetMs).toUTCString()]);
  return lines;
}

/** Link lines, beside those of the service: RFC 5829 section 3.3, RFC 9745 section 3, RFC 8594 section 6. */
export function linkLines({ sunsetMs, successor, announcement }: EndOfLife): readonly HeaderLine[] {
  const links: string[] = [];
  if (successor !== null) links.push(`<${successor}>; rel="successor-version"`);
  if (announcement !== null) {
    links.push(`<${announcement}>; rel="deprecation"`);
    if (sunsetMs !== null) links.push(`<${announcement}>; rel="sunset"`);
  }
  return links.map((link) => ["link", link]);
}

/** For `explain`. */
export function describeEnd(end: EndOfLife, exchange: Exchange, nowMs: number): string {
  const { sinceMs, sunsetMs, brownouts } = end;
  const next = brownouts.find(({ untilMs }) => untilMs > nowMs);
  const words = [
    sinceMs === null ? "deprecated" : `deprecated since ${timeText(sinceMs)}`,
    sunsetMs === null ? "no end is set" : `ends ${timeText(sunsetMs)}`,
    ...(next === undefined ? [] : [`brown-out ${timeText(next.fromMs)} to ${timeText(next.untilMs)}`]),
    ...(isExcepted(end, exchange, nowMs) ? ["the caller is excepted"] : []),
  ];
  return words.join("; ");
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(".000Z", "Z");
}
