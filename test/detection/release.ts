import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type CompiledRules, compileRules, type ParanoiaLevel } from "../../src/detection/rules/compile-rules.ts";
import { orderedRuleFiles } from "../../src/detection/rules/file-order.ts";
import { atOnce } from "../../src/support/turns.ts";
import { RECOGNISERS } from "./own-rules.ts";

/** The rules of a release of the OWASP Core Rule Set; as Debian installs it where no folder is named. */
export const RELEASE_RULES = join(process.env["POSTERN_CRS"] ?? "/usr/share/modsecurity-crs", "rules");

/** Throws where there is none: rules that are not there raise no alarm, and any figure of theirs would be nought. */
export function releaseFiles(folder = RELEASE_RULES): { file: string; text: string }[] {
  const names = orderedRuleFiles(readdirSync(folder));
  if (names.length === 0)
    throw new Error(`'${folder}' has no files of rules (*.conf); expected the folder that they are in`);
  return names.map((name) => ({ file: join(folder, name), text: readFileSync(join(folder, name), "latin1") }));
}

export function compileRelease(paranoia: ParanoiaLevel, folder = RELEASE_RULES): CompiledRules {
  const settings = { paranoia, threshold: 5, answerThreshold: 4, variables: new Map<string, string>() };
  const dataFile = (name: string, from: string): string | undefined => {
    const path = join(dirname(from), name);
    return existsSync(path) ? readFileSync(path, "latin1") : undefined;
  };
  return atOnce(compileRules(releaseFiles(folder), settings, dataFile, RECOGNISERS));
}
