import type { Steps } from "../support/turns.ts";

/** A sample of a family of counters. */
export interface LabelledValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A family of counters, or of gauges, that may have tens of thousands of series, each with other labels. */
export interface LongFamily {
  readonly name: string;
  /** A counter if absent. */
  readonly type?: "counter" | "gauge";
  readonly help: string;
  samples(): Iterable<LabelledValue>;
}

/** Samples written between two yields. */
const STEP_SAMPLES = 64;

/**
 * The family in the Prometheus text format. prom-client writes each family in one go, which for 20,000 series holds the
 * thread for a tenth of a second at every scrape.
 */
export function* familyText({ name, help, type = "counter", samples }: LongFamily): Steps<string> {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
  for (const { labels, value } of samples()) {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    lines.push(`${name}{${pairs.join(",")}} ${value}`);
    if (lines.length % STEP_SAMPLES === 0) yield;
  }
  return `${lines.join("\n")}\n`;
}

/** Backslash, line feed and quote, as the format has it. */
function escaped(text: string): string {
  return /[\\\n"]/.test(text) ? text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"') : text;
}
