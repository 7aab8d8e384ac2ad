import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { readTestFiles, runPolicyTests, type TestInputs } from "../daemon/policy-tests.ts";
import type { TestReport } from "../rehearsal/run-tests.ts";
import { painter } from "../support/paint.ts";
import { type Command, type CommandIo, EXIT, JSON_OPTION, misuse, type Options, parseOptions } from "./command.ts";
import { junitXml } from "./junit.ts";
import { problemLine } from "./load-policy.ts";
import { CONFIGMAP_OPTION } from "./policy-reader.ts";
import { withProgress } from "./progress.ts";
import { testInputs } from "./test-inputs.ts";
import { jsonText, reportText } from "./test-report.ts";

const OPTIONS = {
  filter: { type: "string", value: "TEXT", text: "only tests whose name has this text in it" },
  "min-coverage": {
    type: "string",
    value: "PERCENT",
    text: "also fails where the tests cover less of routes and checks",
  },
  junit: {
    type: "string",
    value: "FILE",
    text: "writes a report in the XML of JUnit, for CI; - is standard output, in place of the other",
  },
  ...CONFIGMAP_OPTION,
  ...JSON_OPTION,
  generate: {
    type: "boolean",
    text: "runs none, and prints a first file of tests: who may do what today, to be read and corrected",
  },
  from: {
    type: "string",
    value: "FILE",
    text: "with --generate: tries the requests of an OpenAPI document or a Postman collection (v2.0, v2.1)",
  },
  certificate: {
    type: "string",
    multiple: true,
    value: "FILE",
    text: "with --generate: a caller who shows this one, PEM, named as from the policy's folder; may be repeated",
  },
  watch: {
    type: "boolean",
    text: "runs them again when the policy, a file of tests or a file that they name changes",
  },
} as const satisfies Options;

export const testCommand: Command = {
  name: "test",
  summary: "Runs the tests of a policy, and of the files NAME.test.yaml beside it, by the code that judges requests.",
  usage: "[OPTION]... POLICY",
  options: OPTIONS,
  example: `postern test policy.yaml
postern test --generate policy.yaml > policy.first.test.yaml
Exit code 0: every test holds, but those with 'todo'. 1: one fails, or the policy has problems. 2: used wrongly.`,

  async run(args, io) {
    const parsed = parseOptions(args, OPTIONS);
    if (!parsed.ok) return misuse(testCommand, parsed.error, io);
    const { values, positionals } = parsed.value;
    const [policy, ...rest] = positionals;
    if (policy === undefined || rest.length > 0) return misuse(testCommand, "expected the name of one policy", io);
    if ((values.from ?? values.certificate) !== undefined && values.generate !== true)
      return misuse(testCommand, "--from and --certificate say what --generate is to try; expected it as well", io);
    if (values.generate === true) {
      const { generate } = await import("./test-generate.ts");
      return generate(policy, values, testInputs(io, values.configmap), io);
    }
    const least = values["min-coverage"] === undefined ? 0 : percentOf(values["min-coverage"]);
    if (least === null) return misuse(testCommand, "--min-coverage: expected a percentage, as in 80", io);
    if (values.junit === "-" && values.json === true)
      return misuse(testCommand, "--junit - and --json are two reports on standard output; expected one of them", io);
    const wanted = { ...values, least };
    if (values.watch !== true) {
      return withProgress(io, values.json === true, (told, tell) => {
        tell(policy);
        const onTest = (done: number, all: number): void => tell(`${done} of ${all} tests`);
        return test(policy, wanted, { ...testInputs(told, values.configmap), onTest }, told);
      });
    }
    if (values.json === true) return misuse(testCommand, "--watch is for a person, and --json for machines", io);
    const { watchFiles } = await import("./watch-files.ts");
    return watchFiles([policy], io, (read, told) => test(policy, wanted, testInputs(io, values.configmap, read), told));
  },
};

interface Wanted {
  readonly filter?: string | undefined;
  readonly json?: boolean | undefined;
  readonly junit?: string | undefined;
  /** Percent of coverage. */
  readonly least: number;
}

async function test(policy: string, wanted: Wanted, inputs: TestInputs, io: CommandIo): Promise<number> {
  const { filter, junit, json, least } = wanted;
  const report = await reportOf(policy, filter ?? "", inputs, io);
  if (report === null) return EXIT.problems;
  const { results, coverage } = report;
  if (results.length === 0) {
    io.stderr(`${policy}: ${filter === undefined ? "there is no test" : "no test has that text in its name"}\n`);
    return EXIT.problems;
  }
  if (junit !== undefined && junit !== "-") {
    const fault = write(resolve(io.cwd, junit), junitXml(policy, report));
    if (fault !== null) return misuse(testCommand, `--junit: ${junit} ${fault}`, io);
  }
  if (junit === "-") io.stdout(junitXml(policy, report));
  else io.stdout(json === true ? jsonText(report) : reportText(policy, report, painter(io.colour === true)));
  const hasFailed = results.some(({ outcome }) => outcome === "failed");
  if (coverage.percent >= least) return hasFailed ? EXIT.problems : EXIT.fine;
  io.stderr(`${policy}: coverage is ${coverage.percent} %, expected at least ${least} %\n`);
  return EXIT.problems;
}

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
async function reportOf(policy: string, filter: string, inputs: TestInputs, io: CommandIo): Promise<TestReport | null> {
  const { tests, problems } = await readTestFiles(policy, inputs);
  const wanted = filter.toLowerCase();
  const run = await runPolicyTests(policy, tests, inputs, ({ name }) => name.toLowerCase().includes(wanted));
  const all = [...(run.ok ? [] : run.error), ...problems];
  for (const problem of all) io.stderr(problemLine(problem));
  return run.ok && all.length === 0 ? run.value : null;
}
