import type { Steps } from "../../support/turns.ts";
import type { NamedText } from "../facts.ts";
import { type Hit, MATCHED_CHARACTERS_MAX } from "./hit.ts";
import type { Found } from "./lens.ts";
import { type LinkMatch, LinkRun } from "./link-run.ts";
import { filled } from "./macro.ts";
import type { Phase } from "./program.ts";
import type { Removed } from "./removed.ts";
import type { Exclusion, Rule } from "./rule.ts";
import type { Spending } from "./spending.ts";
import type { StageTree } from "./stages.ts";
import type { Variables } from "./variables.ts";

/** A value in which a rule found something before its turn. */
interface Live {
  readonly entry: NamedText;
  readonly target: number;
  readonly text: string;
}

const NO_EXCLUSIONS: readonly Exclusion[] = [];

/** One phase of one request: first all values are searched, then the rules run in order, those that can match. */
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
  readonly #live = new Map<number, Live[]>();

  constructor(phase: Phase, tree: StageTree, variables: Variables, spending: Spending, removed: Removed) {
    this.#phase = phase;
    this.#variables = variables;
    this.#spending = spending;
    this.#removed = removed;
    this.#links = new LinkRun(tree, variables, spending);
  }

  *steps(): Steps<void> {
    for (const lens of this.#phase.lenses) {
      for (const entry of this.#variables.entries(lens.collection)) {
        const plan = lens.planOf(entry.name);
        if (plan.isEmpty) continue;
        const found = plan.known(entry.value) ?? (yield* plan.search(entry.value, this.#spending));
        for (const one of found) this.#keep(one, entry);
        if (this.#spending.isTurnOver(1)) yield;
      }
    }
    yield* this.#walk();
  }

  #keep({ rule, target, text }: Found, entry: NamedText): void {
    const live = this.#live.get(rule);
    if (live === undefined) this.#live.set(rule, [{ entry, target, text }]);
    else live.push({ entry, target, text });
  }

  /** Both lists are in order: rules that run anyway, and rules that have found something. */
  *#walk(): Steps<void> {
    const { rules, controls } = this.#phase;
    const found = [...this.#live.keys()].sort((a, b) => a - b);
    let from = 0;
    for (let control = 0, other = 0; this.end === null; ) {
      const next = Math.min(controls[control] ?? rules.length, found[other] ?? rules.length);
      if (next >= rules.length) return;
      if (controls[control] === next) control++;
      else other++;
      if (next < from) continue;
      const rule = rules[next] as Rule;
      if (this.#removed.isEmpty || !this.#removed.hasRule(rule)) {
        if (this.#matches(rule, this.#live.get(next))) from = this.#after(rule, next);
        if (this.#spending.isTurnOver(1)) yield;
      }
    }
  }

  #matches(rule: Rule, live: readonly Live[] | undefined): boolean {
    const links = this.#links;
    const exclusions = this.#removed.isEmpty ? NO_EXCLUSIONS : this.#removed.exclusionsOf(rule);
    this.#variables.ruleId = rule.id;
    links.begin();
    const [first, ...rest] = rule.links;
    if (live === undefined) {
      if (!links.matches(first, exclusions)) return false;
    } else {
      const sorted = live.length === 1 ? live : [...live].sort((a, b) => a.target - b.target);
      for (const { entry, target, text } of sorted) links.takeFound(first, target, entry, text, exclusions);
      if (!links.end()) return false;
    }
    return rest.every((link) => links.matches(link, NO_EXCLUSIONS));
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

  #control(control: Rule["links"][0]["controls"][number]): void {
    const { facts } = this.#variables;
    switch (control.kind) {
      case "engine":
        this.#variables.facts.engine = control.mode;
        if (control.mode === "off") this.end = "off";
        break;
      case "rawBody":
        facts.rawBody = true;
        this.#variables.forget();
        break;
      case "processor":
        facts.processor = control.name;
        this.#variables.forget();
        break;
      default:
        this.#removed.take(control);
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
