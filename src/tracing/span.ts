/** Of opentelemetry-proto, trace/v1/trace.proto. */
export const SPAN_KIND = { server: 2, client: 3 } as const;

/** Bits of `Span.flags` above those of `traceparent`: it is known whether the parent is another process, and it is. */
export const SPAN_FLAGS = { hasRemote: 0x100, isRemote: 0x200 } as const;

export type Attribute = readonly [name: string, value: string | number];

export interface SpanEvent {
  /** Unix milliseconds, with fractions. */
  readonly atMs: number;
  readonly name: string;
  readonly attributes: readonly Attribute[];
}

/** One operation, as a collector gets it. Ids are hexadecimal digits, times Unix milliseconds with fractions. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for none. */
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly flags: number;
  readonly name: string;
  readonly kind: (typeof SPAN_KIND)[keyof typeof SPAN_KIND];
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: readonly Attribute[];
  readonly events: readonly SpanEvent[];
  /** Another trace that it belongs to without being a part of it; null for none. */
  readonly link: { readonly traceId: string; readonly spanId: string } | null;
  readonly isError: boolean;
}

/** Spans → what a collector takes (OTLP 1.10, binary or JSON). */
export interface SpanEncoding {
  readonly contentType: string;
  span(span: Span): Buffer;
  /** A whole request of spans that are encoded already. */
  request(resource: readonly Attribute[], spans: readonly Buffer[]): Buffer;
  /** How many spans the collector did not take, by its answer to a request that it did. */
  rejected(answer: Buffer): number;
}

/** Nanoseconds of a time in milliseconds, as digits. */
export function nanoDigits(ms: number): string {
  const whole = Math.floor(ms);
  return `${whole}${String(Math.floor((ms - whole) * 1_000_000)).padStart(6, "0")}`;
}
