import type { Steps } from "../support/turns.ts";
import type { Exemplar, HistogramCells } from "./cells.ts";

/** A sample of a family. */
export interface LabelledValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** What follows the family's name: `_bucket`, `_sum` or `_count` of a histogram. */
  readonly suffix?: string;
  readonly exemplar?: Exemplar | undefined;
}

/** A family that may have tens of thousands of series, each with other labels. */
export interface LongFamily {
  readonly name: string;
  /** A counter if absent. */
  readonly type?: "counter" | "gauge" | "histogram";
  readonly help: string;
  samples(): Iterable<LabelledValue>;
}

/** The text that Prometheus always reads, or what follows it, which alone has exemplars. */
export type MetricsFormat = "prometheus" | "openmetrics";

/** Samples written between two yields. */
const STEP_SAMPLES = 64;

/**
 * The family in the Prometheus text format or OpenMetrics 1.0. prom-client writes each family in one go, which for 20,000 series holds the
 * thread for a tenth of a second at every scrape.
 */
export function* familyText(
  { name, help, type = "counter", samples }: LongFamily,
  format: MetricsFormat,
): Steps<string> {
  const isOpen = format === "openmetrics";
  // There a counter's family is named without what its samples end in.
  const family = isOpen && type === "counter" ? name.replace(/_total$/, "") : name;
  let text = `# HELP ${family} ${help}\n# TYPE ${family} ${type}\n`;
  let lines = 0;
  for (const { labels, value, suffix = "", exemplar } of samples()) {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    const line = `${name}${suffix}{${pairs.join(",")}} ${value}`;
    text += isOpen && exemplar !== undefined ? `${line} ${exemplarText(exemplar)}\n` : `${line}\n`;
    if (++lines % STEP_SAMPLES === 0) yield;
  }
  return text;
}

/** The samples of a histogram, its counts added up. */
export function* histogramSamples(
  labels: Readonly<Record<string, string>>,
  { boundsSeconds, counts, exemplars, sumSeconds }: HistogramCells,
): Generator<LabelledValue> {
  let count = 0;
  for (const [at, inBucket] of counts.entries()) {
    count += inBucket;
    const le = String(boundsSeconds[at] ?? "+Inf");
    yield { suffix: "_bucket", labels: { ...labels, le }, value: count, exemplar: exemplars?.[at] };
  }
  yield { suffix: "_sum", labels, value: sumSeconds };
  yield { suffix: "_count", labels, value: count };
}

function exemplarText({ traceId, seconds, atMs }: Exemplar): string {
  return `# {trace_id="${traceId}"} ${seconds} ${atMs / 1000}`;
}

/** Backslash, line feed and quote, as the format has it. */
function escaped(text: string): string {
  return /[\\\n"]/.test(text) ? text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"') : text;
}
