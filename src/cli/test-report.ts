import type { Coverage } from "../rehearsal/coverage.ts";
import { failureText, type TestReport, type TestResult } from "../rehearsal/run-tests.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { problemLine } from "./load-policy.ts";

const WORDS = { passed: "ok", failed: "FAILED", todo: "todo", done: "holds now, take 'todo' off" } as const;

/** For a person. */
export function reportText(policy: string, { results, coverage, ms }: TestReport): string {
  const told = results.filter(({ outcome }) => outcome !== "passed").map(resultText);
  const many = (one: TestResult["outcome"]): number => results.filter(({ outcome }) => outcome === one).length;
  const counts = [
    `${many("passed") + many("done")} passed`,
    ...(many("failed") > 0 ? [`${many("failed")} failed`] : []),
    ...(many("todo") > 0 ? [`${many("todo")} todo`] : []),
  ];
  const gaps = coverage.gaps.map((gap) => problemLine(gap, "coverage: "));
  const rest = gaps.length - DEFAULTS.testLinesMax;
  const more = rest > 0 ? [`${policy}: coverage: ${rest} more; --json has them all\n`] : [];
  const head = `${policy}: ${counts.join(", ")} in ${Math.round(ms)} ms; ${coverageText(coverage)}\n`;
  return [...told, ...gaps.slice(0, DEFAULTS.testLinesMax), ...more, head].join("");
}

function coverageText({ percent, routes, checks, answerChecks }: Coverage): string {
  const parts = [
    `${routes.tried} of ${routes.all} routes tried`,
    `${checks.tried} of ${checks.all} checks tried`,
    `${checks.denied} denied`,
    ...(answerChecks.all > 0 ? [`${answerChecks.tried} of ${answerChecks.all} checks of answers tried`] : []),
  ];
  return `coverage ${percent} %: ${parts.join(", ")}`;
}

function resultText({ test: { name, place }, outcome, failure }: TestResult): string {
  const head = problemLine({ place, text: `${WORDS[outcome]}: ${name}` });
  // What is not there yet is no news.
  if (failure === null || outcome !== "failed") return head;
  const lines = failureText(failure).trimEnd().split("\n");
  return `${head}${lines.map((line) => (line === "" ? "\n" : `    ${line}\n`)).join("")}\n`;
}

/** For machines. */
export function jsonText({ results, coverage, ms }: TestReport): string {
  const gaps = coverage.gaps.map(({ place, text }) => ({ ...place, text }));
  const tests = results.map(({ test: { name, place }, outcome, failure, ms: taken }) => ({
    name,
    ...place,
    outcome,
    ...(failure === null ? {} : { failure }),
    ms: Math.round(taken * 1000) / 1000,
  }));
  return `${JSON.stringify({ tests, coverage: { ...coverage, gaps }, ms: Math.round(ms) }, null, 2)}\n`;
}
