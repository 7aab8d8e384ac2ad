import type { Reason } from "../decision/reason.ts";
import type { AnomalyKind } from "./kinds.ts";

/** What an anomaly is of; null where it is of no one such. */
export interface AnomalySubject {
  /** `GET /orders/{id}`. */
  readonly operation: string | null;
  /** `file:line:column` of the route. */
  readonly policy: string | null;
  readonly caller: string | null;
  /** Address, or the network of an IPv6 client. */
  readonly client: string | null;
  readonly reason: Reason | null;
}

const NOTHING: AnomalySubject = { operation: null, policy: null, caller: null, client: null, reason: null };

export function subjectOf(parts: Partial<AnomalySubject>): AnomalySubject {
  return { ...NOTHING, ...parts };
}

/** What one look saw that is unusual. */
export interface Finding {
  readonly kind: AnomalyKind;
  readonly subject: AnomalySubject;
  /** What was compared; more of it is more unusual. */
  readonly figure: number;
  readonly seen: string;
  readonly expected: string;
  /** Ids of requests. */
  readonly examples: readonly string[];
  /** How many looks in a row have to see it. */
  readonly ticks: number;
  /** Keys of anomalies that tell the same in more or fewer words: while one of them is there, this one is none of its own. */
  readonly within: readonly string[];
}

/** One anomaly at a time is of a kind and a subject. */
export function keyOf(kind: AnomalyKind, { operation, caller, client, reason }: Partial<AnomalySubject>): string {
  return [kind, operation ?? "", caller ?? "", client ?? "", reason ?? ""].join("\n");
}

/** Of the service as a whole, or of so many that they are told as one. */
export function wideKey(kind: AnomalyKind): string {
  return keyOf(kind, NOTHING);
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

export function bytesText(bytes: number): string {
  let value = bytes;
  let at = 0;
  while (value >= 1024 && at < UNITS.length - 1) {
    value /= 1024;
    at++;
  }
  return `${shortNumber(value)} ${UNITS[at]}`;
}

export function percentText(share: number): string {
  return `${shortNumber(share * 100)} %`;
}

/** Two digits that say something. */
export function shortNumber(value: number): string {
  if (value >= 10 || value === 0) return String(Math.round(value));
  return value >= 1 ? String(Math.round(value * 10) / 10) : String(Number(value.toPrecision(1)));
}
