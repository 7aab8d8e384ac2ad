import { compilePattern } from "../../schema/pattern/index.ts";
import { withPatternWork } from "../../schema/pattern/work.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { RuleActions, RuleChoice } from "./actions.ts";

/** Whether a choice is of this rule. */
export function chooses(
  choice: RuleChoice,
  { id, tags, message }: Pick<RuleActions, "id" | "tags" | "message">,
): boolean {
  if (choice.by === "id") return id >= choice.first && id <= choice.last;
  if (choice.by === "tag") return tags.some((tag) => choosesText(choice.text, tag));
  return choosesText(choice.text, message.constant ?? "");
}

/**
 * Whether a text of a directive means this tag or message: the very same, or, where it has signs of a pattern, one that
 * matches. ModSecurity 2 takes all for patterns, 3 none; a plain text that would take off more rules than it names is
 * the worse mistake.
 */
function choosesText(text: string, tag: string): boolean {
  if (text === tag) return true;
  if (!/[\\^$*+?()[\]{}|]/.test(text)) return false;
  const pattern = compilePattern(text, { unicode: false });
  return pattern.ok && withPatternWork(DEFAULTS.patternWorkMax, () => pattern.value.test(tag)) === true;
}
