/** Which files come first: setup, what plugins say before the rules, the rules, what plugins say after them. */
const ORDER = [/(^|\/)crs-setup\.conf$/, /-config\.conf$/, /-before\.conf$/, /(?<!-after)\.conf$/, /-after\.conf$/];

/** That of rules themselves. */
export const RULES_TURN = 3;

/** Which of these a file is; -1 for none. */
export function ruleFileTurn(name: string): number {
  return ORDER.findIndex((pattern) => pattern.test(name));
}

/**
 * The files of a release, or of several folders, in the order in which the rule set wants them read; files of plugins
 * are those that end in `-config.conf`, `-before.conf` and `-after.conf`. Files that are no rules (`.example`, `.data`)
 * are left out.
 */
export function orderedRuleFiles(names: readonly string[]): string[] {
  return names
    .filter((name) => ruleFileTurn(name) >= 0)
    .sort((a, b) => ruleFileTurn(a) - ruleFileTurn(b) || compareTexts(baseOf(a), baseOf(b)) || compareTexts(a, b));
}

const baseOf = (name: string): string => name.slice(name.lastIndexOf("/") + 1);
const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
