import type { Coverage } from "../rehearsal/coverage.ts";
import { failureText, type TestReport, type TestResult } from "../rehearsal/run-tests.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Paint } from "../support/paint.ts";
import { problemLine } from "./load-policy.ts";

const COLOURS = { passed: "green", failed: "red", todo: "yellow", done: "green" } as const;
const WORDS = { passed: "ok", failed: "FAILED", todo: "todo", done: "holds now, take 'todo' off" } as const;

/** For a person. */
export function reportText(policy: string, { results, coverage, ms }: TestReport, paint: Paint): string {
  const told = results.filter(({ outcome }) => outcome !== "passed").map((result) => resultText(result, paint));
  const many = (one: TestResult["outcome"]): number => results.filter(({ outcome }) => outcome === one).length;
  const counts = [
    paint("green", `${many("passed") + many("done")} passed`),
    ...(many("failed") > 0 ? [paint("red", `${many("failed")} failed`)] : []),
    ...(many("todo") > 0 ? [paint("yellow", `${many("todo")} todo`)] : []),
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

function resultText({ test: { name, place }, outcome, failure }: TestResult, paint: Paint): string {
  const head = problemLine({ place, text: name }, `${paint(COLOURS[outcome], WORDS[outcome])}: `);
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
