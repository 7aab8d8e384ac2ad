import { formatOf } from "../formats/index.ts";
import type { Pattern } from "../pattern/index.ts";
import type { Subschema } from "../subschema.ts";
import type { Complaint } from "./faults.ts";
import type { Check } from "./run.ts";

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
    checks.push((value, run) => hasAtLeast(value, min) || run.fail(complaint));
  }
  if (maxLength !== undefined) {
    const { value: max, site } = maxLength;
    const complaint: Complaint = { keyword: "maxLength", detail: `expected at most ${characters(max)}`, site };
    checks.push((value, run) => value.length <= max || !hasAtLeast(value, max + 1) || run.fail(complaint));
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
    if (known?.kind === "text")
      checks.push((value, run) => {
        if (run.isLong) run.step(1 + value.length / FORMAT_PER_STEP);
        return known.test(value) || run.fail(complaint);
      });
  }
  return checks;
}

const PATTERN_SHOWN_MAX = 128;
/** Characters of a text that are held against a format in the time of a step. */
const FORMAT_PER_STEP = 16;

function characters(count: number): string {
  return count === 1 ? "1 character" : `${count} characters`;
}

/** Of so many code points; a string has at most as many as code units, and at least half as many. */
function hasAtLeast(text: string, count: number): boolean {
  if (text.length < count) return false;
  if (text.length >= 2 * count) return true;
  let points = text.length;
  for (let at = 0; at < text.length - 1; at++) {
    if ((text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) {
      points--;
      at++;
      if (points < count) return false;
    }
  }
  return points >= count;
}
