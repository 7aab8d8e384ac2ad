import { type Format, formatOf } from "../formats/index.ts";
import { readingOf } from "../formats/spans.ts";
import type { Pattern } from "../pattern/index.ts";
import { hasLength, lengthReading } from "../pattern/lengths.ts";
import { spendPatternWork } from "../pattern/work.ts";
import type { Subschema } from "../subschema.ts";
import type { Complaint } from "./faults.ts";
import type { Check, Sliced } from "./run.ts";

/** Checks of strings; lengths count in code points (2020-12 validation section 6.3). */
export function textChecks(
  { text, format, resource }: Subschema,
  patternOf: (source: string) => Pattern,
): Check<string>[] {
  const checks: Check<string>[] = [];
  const { minLength, maxLength, pattern } = text;
  if (minLength !== undefined) {
    const { value: min, site } = minLength;
    const complaint: Complaint = { keyword: "minLength", detail: `expected at least ${characters(min)}`, site };
    checks.push(slicedCheck(ofLength(min, Number.POSITIVE_INFINITY), complaint));
  }
  if (maxLength !== undefined) {
    const { value: max, site } = maxLength;
    const complaint: Complaint = { keyword: "maxLength", detail: `expected at most ${characters(max)}`, site };
    checks.push(slicedCheck(ofLength(0, max), complaint));
  }
  if (pattern !== undefined) {
    const compiled = patternOf(pattern.value);
    const detail = `expected text that matches ${pattern.value.slice(0, PATTERN_SHOWN_MAX)}`;
    const complaint: Complaint = { keyword: "pattern", detail, site: pattern.site };
    checks.push((value, run) => run.matches(compiled, value) || run.fail(complaint));
  }
  if (format !== null) {
    const known = formatOf(format.value, resource.language.dialect);
    const complaint: Complaint = {
      keyword: "format",
      detail: `expected text of format ${format.value}`,
      site: format.site,
    };
    if (known?.kind === "text") checks.push(formatCheck(known, complaint));
  }
  return checks;
}

function formatCheck({ test, spans, workOf }: TextFormat, complaint: Complaint): Check<string> {
  if (spans !== null) return slicedCheck({ test, read: (text) => readingOf(spans(text)) }, complaint);
  return (value, run) => {
    if (run.isLong) run.step(1 + value.length / FORMAT_PER_STEP);
    // A short body of nothing but such texts is found out here, and judged in turns.
    spendPatternWork(workOf(value));
    return test(value) || run.fail(complaint);
  };
}

type TextFormat = Extract<Format, { kind: "text" }>;

function ofLength(min: number, max: number): Sliced {
  return { test: (text) => hasLength(text, min, max), read: (text) => lengthReading(text, min, max) };
}

/** A long text of a long value takes its time, so that others have their turns. */
function slicedCheck(sliced: Sliced, complaint: Complaint): Check<string> {
  const { test } = sliced;
  return (value, run) =>
    (run.isLong && value.length > SLICED_CHARS_MIN ? run.matches(sliced, value) : test(value)) || run.fail(complaint);
}

const PATTERN_SHOWN_MAX = 128;
/** Characters of a text that are held against a format in the time of a step. */
const FORMAT_PER_STEP = 16;
/** Characters that are looked through in some hundredths of a millisecond. */
const SLICED_CHARS_MIN = 4 * 1024;

function characters(count: number): string {
  return count === 1 ? "1 character" : `${count} characters`;
}
