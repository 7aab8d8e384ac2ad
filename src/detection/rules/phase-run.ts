import type { Steps } from "../../support/turns.ts";
import type { Find } from "./finds.ts";
import { type Hit, MATCHED_CHARACTERS_MAX } from "./hit.ts";
import { type LinkMatch, LinkRun, LONG_CHARACTERS } from "./link-run.ts";
import { filled } from "./macro.ts";
import type { Phase } from "./program.ts";
import type { Removed } from "./removed.ts";
import type { Exclusion, LinkControl, Rule } from "./rule.ts";
import type { Spending } from "./spending.ts";
import type { StageTree } from "./stages.ts";
import type { Variables } from "./variables.ts";

const NO_EXCLUSIONS: readonly Exclusion[] = [];

const NO_FINDS: ReadonlyMap<number, readonly Find[]> = new Map();

/** One phase of one request, whose values have been searched: the rules run in order, those that can match. */
export class PhaseRun {
  readonly hits: Hit[] = [];
  blockedBy: Hit | null = null;
  /** Why no more rules run in this phase, or in any. */
  end: "off" | "allow" | "allowPhase" | "allowRequest" | "denied" | null = null;
  readonly #phase: Phase;
  readonly #variables: Variables;
  readonly #spending: Spending;
  readonly #removed: Removed;
  readonly #links: LinkRun;
  readonly #finds: ReadonlyMap<number, readonly Find[]>;

  constructor(
    phase: Phase,
    finds: ReadonlyMap<number, readonly Find[]> = NO_FINDS,
    tree: StageTree,
    variables: Variables,
    spending: Spending,
    removed: Removed,
  ) {
    this.#phase = phase;
    this.#finds = finds;
    this.#variables = variables;
    this.#spending = spending;
    this.#removed = removed;
    this.#links = new LinkRun(tree, variables, spending);
  }

  /** Both lists are in order: rules that run anyway, and rules that have found something. */
  *steps(): Steps<void> {
    const { rules, controls } = this.#phase;
    const found = [...this.#finds.keys()].sort((a, b) => a - b);
    let from = 0;
    for (let control = 0, other = 0; this.end === null; ) {
      const next = Math.min(controls[control] ?? rules.length, found[other] ?? rules.length);
      if (next >= rules.length) return;
      if (controls[control] === next) control++;
      else other++;
      if (next < from) continue;
      const rule = rules[next] as Rule;
      if (this.#removed.isEmpty || !this.#removed.hasRule(rule)) {
        const finds = this.#finds.get(next);
        if (finds !== undefined) yield* this.#ahead(rule, finds);
        if (yield* this.#matches(rule, finds)) from = this.#after(rule, next);
        this.#spending.forgetAhead();
        if (this.#spending.isTurnOver(finds?.reduce((bytes, { text }) => bytes + text.length, 1) ?? 1)) yield;
      }
    }
  }

  /** What was found in long texts is captured by a way that is slower than the one that found it: in steps. */
  *#ahead({ links: [{ test, negated }] }: Rule, finds: readonly Find[]): Steps<void> {
    if (test.kind !== "pattern" || negated) return;
    for (const { text } of finds) if (text.length > LONG_CHARACTERS) yield* this.#spending.matchAhead(test.id, text);
  }

  *#matches(rule: Rule, finds: readonly Find[] | undefined): Steps<boolean> {
    const links = this.#links;
    const exclusions = this.#removed.isEmpty ? NO_EXCLUSIONS : this.#removed.exclusionsOf(rule);
    this.#variables.ruleId = rule.id;
    links.begin();
    const [first, ...rest] = rule.links;
    if (finds === undefined) {
      if (!links.matches(first, exclusions)) return false;
    } else {
      const sorted = finds.length === 1 ? finds : [...finds].sort((a, b) => a.target - b.target);
      for (const { entry, target, text } of sorted) links.takeFound(first, target, entry, text, exclusions);
      if (!links.end()) return false;
    }
    for (const link of rest) {
      yield* links.ahead(link);
      if (!links.matches(link, NO_EXCLUSIONS)) return false;
    }
    return true;
  }

  /** All links have matched. Gives the place from which the rules go on. */
  #after(rule: Rule, place: number): number {
    const hit = rule.logged || rule.disruptive === "deny" ? this.#hitOf(rule) : null;
    if (hit !== null) this.hits.push(hit);
    for (const { controls } of rule.links) for (const control of controls) this.#control(control);
    if (rule.disruptive === "deny") {
      if (this.#variables.facts.engine === "on") {
        this.blockedBy = hit;
        this.end = "denied";
      }
    } else if (rule.disruptive !== "pass" && rule.disruptive !== "block") this.end = rule.disruptive;
    return rule.next > place ? rule.next : place + 1;
  }

  #control(control: LinkControl): void {
    const { facts } = this.#variables;
    switch (control.kind) {
      case "engine":
        this.#variables.facts.engine = control.mode;
        if (control.mode === "off") this.end = "off";
        break;
      case "processor":
        facts.processor = control.name;
        this.#variables.forget();
        break;
      case "remove":
        this.#removed.take(control.removal);
        break;
    }
  }

  #hitOf(rule: Rule): Hit {
    const { id, tags, severity, place, phase, paranoia } = rule;
    const match: LinkMatch | null = this.#links.shown;
    return {
      id,
      message: filled(rule.message, this.#variables.read),
      tags,
      severity,
      score: this.#links.score,
      target: match?.target ?? "",
      matched: match === null ? "" : match.part().slice(0, MATCHED_CHARACTERS_MAX),
      place,
      phase,
      paranoia,
    };
  }
}
