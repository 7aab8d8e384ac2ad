import { failureLine, failureText, type TestReport, type TestResult } from "../rehearsal/run-tests.ts";

/** The results of a policy's tests in the XML that CI systems read as JUnit's. A test that may fail counts as skipped. */
export function junitXml(policy: string, { results, ms }: TestReport): string {
  const many = (one: TestResult["outcome"]): number => results.filter(({ outcome }) => outcome === one).length;
  const counts = `tests="${results.length}" failures="${many("failed")}" errors="0" skipped="${many("todo")}"`;
  const cases = results.map(caseXml).join("");
  const suite = `<testsuite name="${escaped(policy)}" ${counts} time="${seconds(ms)}">\n${cases}</testsuite>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suite}\n</testsuites>\n`;
}

function caseXml({ test: { name, place }, outcome, failure, ms }: TestResult): string {
  const where = `classname="${escaped(place.file)}" file="${escaped(place.file)}" line="${place.line}"`;
  const head = `<testcase name="${escaped(name)}" ${where} time="${seconds(ms)}"`;
  if (failure === null || (outcome !== "failed" && outcome !== "todo")) return `${head}/>\n`;
  const message = escaped(failureLine(failure));
  if (outcome === "todo") return `${head}><skipped message="todo: ${message}"/></testcase>\n`;
  return `${head}><failure message="${message}">${escaped(failureText(failure))}</failure></testcase>\n`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(6);
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** XML 1.0 has no word for most control characters. */
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd")
    .replace(/[&<>"]/g, (char) => ENTITIES[char] ?? char);
}
