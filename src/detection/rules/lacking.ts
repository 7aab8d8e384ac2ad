import type { RuleProblem } from "../seclang/directive.ts";
import { MEANS_NO_RULE } from "./assemble.ts";
import type { CompiledRules } from "./compile-rules.ts";
import { type RuleListing, seesLess } from "./listing.ts";

/** Ids that are kept for OWASP's set, whose rules are known. */
const RESERVED = { from: 900_000, to: 999_999 };

/**
 * What users have to know of their own files: a rule that was to deny and does nothing would be a hole that nobody sees; so would an
 * exclusion that meets no rule.
 */
export function lackingOf({ listing, notDone }: Pick<CompiledRules, "listing" | "notDone">): RuleProblem[] {
  return [
    ...listing.filter(isLacking).map(({ file, line, id, status, reason }) => ({
      file,
      line,
      message: `rule ${id} ${status === "left" ? "does not run" : "sees less"}: ${reason}`,
    })),
    ...notDone
      .filter(({ reason }) => reason === MEANS_NO_RULE)
      .map(({ file, line, name, reason }) => ({ file, line, message: `'${name}' does nothing: ${reason}` })),
  ];
}

function isLacking(row: RuleListing): boolean {
  if (row.phase === 5 || (row.id >= RESERVED.from && row.id <= RESERVED.to)) return false;
  return row.status === "left" || seesLess(row);
}
