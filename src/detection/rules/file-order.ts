/** Which files come first: setup, what plugins say before the rules, the rules, what plugins say after them. */
const ORDER = [/(^|\/)crs-setup\.conf$/, /-config\.conf$/, /-before\.conf$/, /(?<!-after)\.conf$/, /-after\.conf$/];

/**
 * The files of a release, or of several folders, in the order in which the rule set wants them read; files of plugins
 * are those that end in `-config.conf`, `-before.conf` and `-after.conf`. Files that are no rules (`.example`, `.data`)
 * are left out.
 */
export function orderedRuleFiles(names: readonly string[]): string[] {
  const placeOf = (name: string): number => ORDER.findIndex((pattern) => pattern.test(name));
  return names
    .filter((name) => placeOf(name) >= 0)
    .sort((a, b) => placeOf(a) - placeOf(b) || compareTexts(baseOf(a), baseOf(b)) || compareTexts(a, b));
}

const baseOf = (name: string): string => name.slice(name.lastIndexOf("/") + 1);
const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
