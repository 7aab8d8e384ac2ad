import { RateTables } from "../../../src/limits/rate/rate-tables.ts";
import { type CompileInputs, type Examination, examinePolicy } from "../../../src/policy/compile.ts";
import { type Files, fixedClock, readerOf } from "../policy-kit.ts";

/** As `examine`, with all rules of lint asked. */
export function examineLint(
  policy: string,
  files: Files = {},
  inputs: Partial<CompileInputs> = {},
): Promise<Examination> {
  return examinePolicy("conf/policy.yaml", {
    cwd: "/srv",
    clock: fixedClock,
    rateTables: new RateTables([1, 2], fixedClock, 64),
    readFile: readerOf(policy, files),
    lint: "all",
    ...inputs,
  });
}

/** Findings of one rule, as `line:column text`. */
export async function found(rule: string, policy: string, files: Files = {}): Promise<readonly string[]> {
  const { warnings, problems } = await examineLint(policy, files);
  if (problems.length > 0) throw new Error(problems.map(({ place, text }) => `${place.line} ${text}`).join("\n"));
  return warnings.filter((one) => one.rule === rule).map(({ place, text }) => `${place.line}:${place.column} ${text}`);
}
