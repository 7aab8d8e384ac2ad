import type { Steps } from "../../support/turns.ts";
import type { Directive, Place, RuleProblem } from "../seclang/directive.ts";
import { readSecLang } from "../seclang/read.ts";
import { ruleActions } from "./actions.ts";
import { Defaults } from "./default-actions.ts";
import type { Assembled, DraftItem, DraftLink, DraftRule, LeftOut } from "./draft.ts";
import { ENGINE_SETTINGS } from "./engine-settings.ts";
import { leftOutReason } from "./left-out.ts";
import { isUpdate, update } from "./updates.ts";

/** A file of rules, by the name that problems and hits tell. `text` is its bytes, each a character. */
export interface RuleFile {
  readonly file: string;
  readonly text: string;
}

/** Why a directive that changes rules is not done. */
export const MEANS_NO_RULE = "it means no rule that stands before it";
const DIRECTIVES_A_STEP = 4;
const ALWAYS = { name: "unconditionalmatch", negated: false, argument: "" };

/** Files in order → rules and markers in order: chains joined, defaults laid under, updates done. */
export function* assemble(files: readonly RuleFile[]): Steps<Assembled> {
  const assembly = new Assembly();
  for (const { file, text } of files) {
    const { directives, problems } = yield* readSecLang(file, text);
    assembly.problems.push(...problems);
    for (const [index, directive] of directives.entries()) {
      if (index % DIRECTIVES_A_STEP === 0) yield;
      assembly.take(directive);
    }
  }
  return assembly.end();
}

class Assembly {
  readonly problems: RuleProblem[] = [];
  readonly #settings: (Place & { readonly name: string; readonly reason: string })[] = [];
  readonly #defaults = new Defaults();
  readonly #ids = new Map<number, Place>();
  #items: DraftItem[] = [];
  readonly #leftOut: LeftOut[] = [];
  /** A chain that wants more links. */
  #open: DraftLink[] = [];

  take(directive: Directive): void {
    if (directive.kind !== "rule" && directive.kind !== "action") this.#endChain();
    switch (directive.kind) {
      case "rule":
      case "action":
        this.#takeLink({
          place: directive.place,
          variables: directive.kind === "rule" ? directive.variables : [],
          operator: directive.kind === "rule" ? directive.operator : ALWAYS,
          actions: ruleActions(directive.actions, directive.place, this.problems),
        });
        break;
      case "marker":
        this.#items.push({ kind: "marker", name: directive.name });
        break;
      case "setting":
        this.#takeSetting(directive.place, directive.name, directive.words);
        break;
    }
  }

  end(): Assembled {
    this.#endChain();
    return { items: this.#items, leftOut: this.#leftOut, problems: this.problems, settings: this.#settings };
  }

  #takeLink(link: DraftLink): void {
    this.#open.push(link);
    if (link.actions.chained) return;
    const [head, ...links] = this.#open;
    this.#open = [];
    if (head !== undefined) this.#takeRule([head, ...links]);
  }

  #endChain(): void {
    const [head] = this.#open;
    if (head === undefined) return;
    this.problems.push({
      ...head.place,
      message: "its chain has no last rule; take off 'chain' or write what follows",
    });
    this.#open = [];
  }

  #takeRule(links: DraftRule["links"]): void {
    const [{ actions, place }] = links;
    const before = this.#ids.get(actions.id);
    if (actions.id === 0) this.problems.push({ ...place, message: "it has no id; write id: and a number of its own" });
    else if (before !== undefined) {
      const message = `id ${actions.id} is that of a rule in ${before.file}, line ${before.line}; give it another`;
      this.problems.push({ ...place, message });
      return;
    }
    this.#ids.set(actions.id, place);
    const phase = actions.phase ?? 2;
    this.#defaults.layUnder(links, phase);
    const rule: DraftRule = { kind: "rule", links, phase };
    const reason = leftOutReason(rule);
    if (reason === null) this.#items.push(rule);
    else if (reason.isProblem) this.problems.push({ ...reason.place, message: reason.message });
    else this.#leave(rule, reason.message, false);
  }

  #leave({ links: [{ actions, place }], phase }: DraftRule, reason: string, isRemoved: boolean): void {
    this.#leftOut.push({ id: actions.id, place, phase, tags: actions.tags, reason, isRemoved });
  }

  #takeSetting(place: Place, name: string, words: readonly string[]): void {
    const lower = name.toLowerCase();
    const reason = ENGINE_SETTINGS.get(lower);
    if (reason !== undefined) this.#settings.push({ ...place, name, reason });
    else if (lower === "secdefaultaction") this.#defaults.take(words, place, this.problems);
    else if (isUpdate(lower)) this.#update(name, words, place);
    else if (/^include(optional)?$/.test(lower))
      this.problems.push({ ...place, message: "files are named by the policy; put this one among its 'rules'" });
    else this.problems.push({ ...place, message: `'${name.slice(0, 40)}' is no directive that is known` });
  }

  #update(name: string, words: readonly string[], place: Place): void {
    const updated = update(name.toLowerCase(), words, place, this.#items);
    if (typeof updated === "string") {
      this.problems.push({ ...place, message: updated });
      return;
    }
    this.problems.push(...updated.problems);
    if (updated.meant === 0) this.#settings.push({ ...place, name, reason: MEANS_NO_RULE });
    for (const rule of updated.removed) this.#leave(rule, `${place.file}, line ${place.line} removes it`, true);
    if (updated.removed.length === 0) return;
    const removed = new Set<DraftItem>(updated.removed);
    this.#items = this.#items.filter((item) => !removed.has(item));
  }
}
