import { HTTP1_CLOSE_REASONS, type Http1CloseReason } from "../http1/close-reason.ts";
import { HTTP2_CLOSE_REASONS, type Http2CloseReason } from "../http2/close-reason.ts";
import { HTTP2_UNJUDGED, type Http2Unjudged } from "../http2/unjudged.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { CONNECTION_REFUSALS, type ConnectionRefusal, HANDSHAKE_FAILURES, type HandshakeFailure } from "./telemetry.ts";

/** A counter that costs one addition. */
export class Cell {
  value = 0;
}

/** Seconds; a cached decision takes about one microsecond, a signature about a hundred. */
const DECISION_BOUNDS_SECONDS: readonly number[] = [
  1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 5e-3, 1e-2, 1e-1, 1,
];

/** Seconds; from a service on the same machine to the longest response timeout. */
export const ANSWER_BOUNDS_SECONDS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** One request of a bucket that can be looked up: by the trace it is part of. */
export interface Exemplar {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** Whether the trace is recorded somewhere; of any other there is a line of the log alone. */
  readonly isSampled: boolean;
  readonly seconds: number;
  readonly atMs: number;
}

/** Counts per bucket, not cumulative: the sum over buckets is made when somebody scrapes. */
export class HistogramCells {
  readonly boundsSeconds: readonly number[];
  /** One more than there are bounds: the last is +Inf. */
  readonly counts: number[];
  sumSeconds = 0;
  /** Of each bucket the last that was sampled, or the last of all where none was; null before the first. */
  exemplars: Exemplar[] | null = null;

  constructor(boundsSeconds: readonly number[]) {
    this.boundsSeconds = boundsSeconds;
    this.counts = new Array<number>(boundsSeconds.length + 1).fill(0);
  }

  /** Ignores what is no duration, so that one wrong clock value cannot make the sum NaN for ever. */
  observe(seconds: number): void {
    if (!(seconds >= 0 && seconds < Number.POSITIVE_INFINITY)) return;
    const at = this.#bucketOf(seconds);
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    this.sumSeconds += seconds;
  }

  /** Keeps what was observed just now as the example of its bucket. `now`: milliseconds since the epoch. */
  exemplify(traceId: string, isSampled: boolean, seconds: number, now: () => number): void {
    if (!(seconds >= 0 && seconds < Number.POSITIVE_INFINITY)) return;
    this.exemplars ??= [];
    const at = this.#bucketOf(seconds);
    // Most are not sampled, and would leave hardly one that leads to spans.
    if (!isSampled && this.exemplars[at]?.isSampled === true) return;
    this.exemplars[at] = { traceId, isSampled, seconds, atMs: now() };
  }

  #bucketOf(seconds: number): number {
    const bounds = this.boundsSeconds;
    let at = 0;
    while (at < bounds.length && seconds > (bounds[at] ?? 0)) at++;
    return at;
  }
}

/** Everything that is counted per listener. */
export class ListenerCells {
  readonly name: string;
  connectionsOpen = 0;
  connectionsTotal = 0;
  readonly connectionsRefused: Record<ConnectionRefusal, number>;
  readonly handshakesFailed: Record<HandshakeFailure, number>;
  readonly http1ConnectionsClosed: Record<Http1CloseReason, number>;
  readonly http2SessionsClosed: Record<Http2CloseReason, number>;
  readonly http2RequestsUnjudged: Record<Http2Unjudged, number>;
  requestBodyBytes = 0;
  responseBodyBytes = 0;
  readonly decision: HistogramCells = new HistogramCells(DECISION_BOUNDS_SECONDS);

  constructor(name: string) {
    this.name = name;
    this.connectionsRefused = zeros(CONNECTION_REFUSALS);
    this.handshakesFailed = zeros(HANDSHAKE_FAILURES);
    this.http1ConnectionsClosed = zeros(HTTP1_CLOSE_REASONS);
    this.http2SessionsClosed = zeros(HTTP2_CLOSE_REASONS);
    this.http2RequestsUnjudged = zeros(HTTP2_UNJUDGED);
  }
}

function zeros<Key extends string>(keys: readonly Key[]): Record<Key, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<Key, number>;
}

/** Text of a certificate as a label value: cut, and without characters that could act on a terminal or a page. */
export function labelText(text: string): string {
  return text
    .slice(0, DEFAULTS.metricLabelCharsMax)
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, "�");
}
