import { actionsOf } from "../seclang/actions.ts";
import type { Place, RuleProblem } from "../seclang/directive.ts";
import { variablesOf } from "../seclang/variables.ts";
import { idChoices, type RuleActions, type RuleChoice, ruleActions, textChoice } from "./actions.ts";
import { chooses } from "./choice.ts";
import type { DraftItem, DraftLink, DraftRule } from "./draft.ts";

const REMOVE = /^secruleremoveby(id|tag|msg)$/;
const UPDATE = /^secruleupdate(target|action)by(id|tag|msg)$/;

/** Whether a directive, in small letters, changes rules that stand before it. */
export function isUpdate(name: string): boolean {
  return REMOVE.test(name) || UPDATE.test(name);
}

/** What came of it. */
export interface Updated {
  /** How many rules it is about. */
  readonly meant: number;
  readonly removed: readonly DraftRule[];
  readonly problems: readonly RuleProblem[];
}

/** Changes the rules that it names, or tells what is wrong with it. */
export function update(
  name: string,
  words: readonly string[],
  place: Place,
  items: readonly DraftItem[],
): Updated | string {
  const [, removeBy] = REMOVE.exec(name) ?? [];
  const [, what, updateBy] = UPDATE.exec(name) ?? [];
  const isRemoval = removeBy !== undefined;
  const texts = isRemoval ? [words.join(" ")] : words;
  const chosen = choicesOf(removeBy ?? updateBy ?? "", texts[0] ?? "");
  if (typeof chosen === "string") return chosen;
  const rules = items.filter((item): item is DraftRule => item.kind === "rule");
  const meant = rules.filter(({ links }) => chosen.rules.some((choice) => chooses(choice, links[0].actions)));
  if (isRemoval) return { meant: meant.length, removed: meant, problems: [] };
  if (words.length < 2) return "it says what it is of, and not what changes";
  const links = meant.flatMap((rule) => rule.links.slice(chosen.link, chosen.link + 1));
  return what === "target" ? updateTargets(words, links) : updateActions(words, place, links);
}

/** `932100:1` means the first link behind the head. */
function choicesOf(by: string, text: string): { rules: readonly RuleChoice[]; link: number } | string {
  if (by !== "id") return { rules: textChoice(by === "tag" ? "tag" : "message", text), link: 0 };
  const [, ids = text, link = "0"] = /^\s*(\d+):(\d+)\s*$/.exec(text) ?? [];
  const rules = idChoices(ids);
  return typeof rules === "string" ? rules : { rules, link: Number(link) };
}

/** Variables are added; with a third word those of the second take the place of those of the third. */
function updateTargets(
  [, added = "", replaced = ""]: readonly string[],
  links: readonly DraftLink[],
): Updated | string {
  const more = variablesOf(added);
  if (!more.ok) return more.error;
  const gone = replaced === "" ? null : variablesOf(replaced);
  if (gone !== null && !gone.ok) return gone.error;
  const goneKeys = new Set((gone?.value ?? []).map((variable) => JSON.stringify(variable)));
  for (const link of links) {
    const kept = link.variables.filter((variable) => !goneKeys.has(JSON.stringify(variable)));
    if (goneKeys.size === 0 || kept.length < link.variables.length) link.variables = [...kept, ...more.value];
  }
  return { meant: links.length, removed: [], problems: [] };
}

/** What is said anew replaces; what there may be several of is added. */
function updateActions([, text = ""]: readonly string[], place: Place, links: readonly DraftLink[]): Updated | string {
  const list = actionsOf(text);
  if (!list.ok) return list.error;
  const problems: RuleProblem[] = [];
  const changes = ruleActions(list.value, place, problems);
  if (changes.id !== 0 || changes.phase !== null || changes.chained)
    return "id, phase and chain of a rule cannot be changed";
  const names = new Set(list.value.map(({ name }) => name));
  for (const { actions } of links) change(actions, changes, names);
  return { meant: links.length, removed: [], problems };
}

function change(actions: RuleActions, changes: RuleActions, names: ReadonlySet<string>): void {
  if (changes.disruptive !== null && changes.disruptive !== "block") actions.disruptive = changes.disruptive;
  if (changes.logged !== null) actions.logged = changes.logged;
  if (changes.transforms !== null) actions.transforms = changes.transforms;
  if (names.has("msg")) actions.message = changes.message;
  if (names.has("logdata")) actions.logData = changes.logData;
  if (changes.severity !== null) actions.severity = changes.severity;
  if (names.has("skipafter")) actions.skipAfter = changes.skipAfter;
  if (names.has("skip")) actions.skip = changes.skip;
  actions.capture ||= changes.capture;
  actions.multiMatch ||= changes.multiMatch;
  actions.tags.push(...changes.tags);
  actions.setVars.push(...changes.setVars);
  actions.controls.push(...changes.controls);
  actions.left.push(...changes.left);
}
