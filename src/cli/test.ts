import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { readTestFiles, runPolicyTests } from "../daemon/policy-tests.ts";
import type { Coverage } from "../rehearsal/coverage.ts";
import { failureText, type TestReport, type TestResult } from "../rehearsal/run-tests.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { type Command, type CommandIo, EXIT, misuse, parseOptions } from "./command.ts";
import { junitXml } from "./junit.ts";
import { problemLine } from "./load-policy.ts";
import { testInputs } from "./test-inputs.ts";

const OPTIONS = {
  filter: { type: "string" },
  configmap: { type: "string" },
  json: { type: "boolean" },
  junit: { type: "string" },
  "min-coverage": { type: "string" },
} as const;

export const testCommand: Command = {
  name: "test",
  summary: "Runs the tests of a policy, and of the files NAME.test.yaml beside it, by the code that judges requests.",
  usage: "[OPTION]... POLICY",
  options: `--filter TEXT            only tests whose name has this text in it
    --min-coverage PERCENT   also fails where the tests cover less of routes and checks
    --junit FILE             writes a report in the XML of JUnit, for CI
    --configmap NAME         of a manifest with several policies, the ConfigMap that is meant
    --json                   for machines`,
  example: `postern test policy.yaml
Exit code 0: every test holds, but those with 'todo'. 1: one fails, or the policy has problems. 2: used wrongly.`,

  async run(args, io) {
    const parsed = parseOptions(args, OPTIONS);
    if (!parsed.ok) return misuse(testCommand, parsed.error, io);
    const { values, positionals } = parsed.value;
    const [policy, ...rest] = positionals;
    if (policy === undefined || rest.length > 0) return misuse(testCommand, "expected the name of one policy", io);
    const least = values["min-coverage"] === undefined ? 0 : percentOf(values["min-coverage"]);
    if (least === null) return misuse(testCommand, "--min-coverage: expected a percentage, as in 80", io);
    const report = await test(policy, values.filter ?? "", io, values.configmap);
    if (report === null) return EXIT.problems;
    const { results, coverage } = report;
    if (results.length === 0) {
      const isFiltered = values.filter !== undefined;
      io.stderr(`${policy}: ${isFiltered ? "no test has that text in its name" : "there is no test"}\n`);
      return EXIT.problems;
    }
    if (values.junit !== undefined) {
      const fault = write(resolve(io.cwd, values.junit), junitXml(policy, report));
      if (fault !== null) return misuse(testCommand, `--junit: ${values.junit} ${fault}`, io);
    }
    io.stdout(values.json === true ? jsonText(report) : reportText(policy, report));
    const hasFailed = results.some(({ outcome }) => outcome === "failed");
    if (coverage.percent >= least) return hasFailed ? EXIT.problems : EXIT.fine;
    io.stderr(`${policy}: coverage is ${coverage.percent} %, expected at least ${least} %\n`);
    return EXIT.problems;
  },
};

function percentOf(text: string): number | null {
  const percent = /^(\d{1,3})%?$/.exec(text)?.[1];
  return percent === undefined || Number(percent) > 100 ? null : Number(percent);
}

function write(file: string, text: string): string | null {
  try {
    writeFileSync(file, text);
    return null;
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : "cannot be written";
  }
}

/** Null where the policy or a file of tests has problems, which are on stderr. */
async function test(policy: string, filter: string, io: CommandIo, configMap?: string): Promise<TestReport | null> {
  const inputs = testInputs(io, configMap);
  const { tests, problems } = await readTestFiles(policy, inputs);
  const wanted = filter.toLowerCase();
  const run = await runPolicyTests(policy, tests, inputs, ({ name }) => name.toLowerCase().includes(wanted));
  const all = [...(run.ok ? [] : run.error), ...problems];
  for (const problem of all) io.stderr(problemLine(problem));
  return run.ok && all.length === 0 ? run.value : null;
}

const WORDS = { passed: "ok", failed: "FAILED", todo: "todo", done: "holds now, take 'todo' off" } as const;

function reportText(policy: string, { results, coverage, ms }: TestReport): string {
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

function coverageText({ percent, routes, checks }: Coverage): string {
  const parts = [
    `${routes.tried} of ${routes.all} routes tried`,
    `${checks.tried} of ${checks.all} checks tried`,
    `${checks.denied} denied`,
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

function jsonText({ results, coverage, ms }: TestReport): string {
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
