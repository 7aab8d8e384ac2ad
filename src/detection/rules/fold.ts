import type { Steps } from "../../support/turns.ts";
import type { SetVar } from "./actions.ts";
import type { DraftItem, DraftLink, DraftRule } from "./draft.ts";
import { KnownValues } from "./known-values.ts";
import { partlyFilled } from "./macro.ts";
import { WrittenNames } from "./written-names.ts";

/** What is left of the rules once all is decided that the files alone decide. */
export interface Folded {
  /** Rules that a request decides, and markers, in order. */
  readonly items: readonly DraftItem[];
  /** TX as each request finds it. */
  readonly constants: ReadonlyMap<string, string>;
  /** Rules that no request needs: decided at load, or skipped by the rule named. */
  readonly decided: ReadonlyMap<DraftRule, string>;
}

const PHASES = [1, 2, 3, 4];
const ITEMS_A_STEP = 32;
/** Stands for the end of a phase among the markers that a skip may lead to. */
const PHASE_END = "";

/**
 * Decides what the files alone decide: most of a rule set's setup, and each rule that belongs to a paranoia level which the
 * setup leaves out. A value of TX is known where only rules write it that surely run; which ones those are is found by
 * assuming all, and giving up names until nothing changes. What is `pinned` no file can set; with the rest of TX it begins as `begin` says.
 */
export function* fold(
  items: readonly DraftItem[],
  pinned: ReadonlyMap<string, string>,
  begin: ReadonlyMap<string, string>,
): Steps<Folded> {
  const written = new WrittenNames();
  for (;;) {
    const before = written.size;
    const round = new Round(items, new KnownValues(pinned, begin, written), written);
    for (const phase of PHASES) yield* round.walk(phase);
    if (written.size === before) return round.result();
  }
}

class Round {
  readonly #source: readonly DraftItem[];
  readonly #known: KnownValues;
  readonly #written: WrittenNames;
  readonly #kept = new Map<DraftItem, DraftItem>();
  readonly #decided = new Map<DraftRule, string>();
  readonly #markers = new Map<string, number>();
  /** Names that rules which are not decided read or write before the place that is looked at. */
  readonly #touched = new WrittenNames();
  /** Markers that a rule which is not decided may skip to: up to the last of them nothing surely runs. */
  #pending = new Map<string, number>();

  constructor(source: readonly DraftItem[], known: KnownValues, written: WrittenNames) {
    this.#source = source;
    this.#known = known;
    this.#written = written;
    for (const [at, item] of source.entries()) if (item.kind === "marker") this.#markers.set(item.name, at);
  }

  *walk(phase: number): Steps<void> {
    this.#pending = new Map();
    for (let at = 0; at < this.#source.length; at++) {
      if (at % ITEMS_A_STEP === 0) yield;
      const item = this.#source[at] as DraftItem;
      if (item.kind === "marker") this.#passMarker(item, at);
      else if (item.phase === phase) at = this.#walkRule(item, at);
    }
  }

  result(): Folded {
    const items = this.#source.flatMap((item) => {
      const kept = this.#kept.get(item);
      return kept === undefined ? [] : [kept];
    });
    return { items, constants: this.#known.constants(), decided: this.#decided };
  }

  #passMarker(item: DraftItem & { kind: "marker" }, at: number): void {
    this.#kept.set(item, item);
    if (this.#pending.get(item.name) === at) this.#pending.delete(item.name);
  }

  /** Gives the place of the last item that is dealt with. */
  #walkRule(rule: DraftRule, at: number): number {
    const { answer, sets, links } = this.#decide(rule);
    const [{ actions }] = rule.links;
    const isPlain = actions.disruptive === "pass" && actions.skip === 0;
    const isQuiet = rule.links.every((link) => link.actions.controls.length === 0) && actions.logged === false;
    if (answer === false && this.#canApply(sets)) {
      this.#known.apply(sets);
      this.#decided.set(rule, "its condition never holds with this setup");
      return at;
    }
    if (answer === true && isPlain && isQuiet && this.#canApply(sets)) {
      const target = actions.skipAfter === null ? at : this.#skipTarget(actions.skipAfter, at);
      if (target >= 0) {
        this.#known.apply(sets);
        this.#decided.set(rule, "decided at load, as the setup says");
        return this.#drop(rule, at, target);
      }
    }
    this.#keep(rule, links, at);
    return at;
  }

  /** Where a sure skip leads; -1 where what lies before it may be jumped over another way. */
  #skipTarget(marker: string, at: number): number {
    const found = this.#markers.get(marker) ?? -1;
    const target = found > at ? found : this.#source.length;
    for (const end of this.#pending.values()) if (end < target) return -1;
    return target;
  }

  #drop(by: DraftRule, from: number, to: number): number {
    for (let at = from + 1; at < to; at++) {
      const item = this.#source[at] as DraftItem;
      if (item.kind === "marker") this.#passMarker(item, at);
      else if (item.phase === by.phase) this.#decided.set(item, `rule ${by.links[0].actions.id} skips it`);
    }
    return Math.max(from, to - 1);
  }

  /** Within what may be skipped nothing is surely set. */
  #canApply(sets: readonly SetVar[]): boolean {
    return sets.length === 0 || (this.#pending.size === 0 && this.#known.canApply(sets, this.#touched));
  }

  #keep(rule: DraftRule, links: DraftRule["links"], at: number): void {
    this.#written.addOf(links);
    this.#touched.addOf(links);
    this.#touched.addReadOf(links);
    const [{ actions }] = rule.links;
    if (actions.skipAfter !== null) {
      const found = this.#markers.get(actions.skipAfter) ?? -1;
      this.#pending.set(actions.skipAfter, found > at ? found : this.#source.length);
    }
    if (actions.skip > 0 || actions.disruptive?.startsWith("allow") === true)
      this.#pending.set(PHASE_END, this.#source.length);
    this.#kept.set(rule, { ...rule, links: this.#filledLinks(links) });
  }

  /** Tests the links that need no request; `links` are those that are left to test. */
  #decide(rule: DraftRule): { answer: boolean | null; sets: SetVar[]; links: DraftRule["links"] } {
    const sets: SetVar[] = [];
    for (const [index, link] of rule.links.entries()) {
      const answer = this.#known.test(link);
      if (answer === false) return { answer, sets, links: rule.links };
      if (answer === null) return { answer, sets, links: promoted(rule.links, index) };
      sets.push(...link.actions.setVars);
    }
    return { answer: true, sets, links: rule.links };
  }

  #filledLinks([head, ...rest]: DraftRule["links"]): DraftRule["links"] {
    return [this.#filledLink(head), ...rest.map((link) => this.#filledLink(link))];
  }

  #filledLink(link: DraftLink): DraftLink {
    const read = this.#known.reader();
    const setVars = link.actions.setVars.map((setVar) => ({ ...setVar, value: partlyFilled(setVar.value, read) }));
    return { ...link, operator: this.#known.filledOperator(link.operator), actions: { ...link.actions, setVars } };
  }
}

/** A rule without the links that surely hold, where those do nothing but hold. */
function promoted(links: DraftRule["links"], sure: number): DraftRule["links"] {
  const [head] = links;
  const next = links[sure];
  if (sure === 0 || next === undefined) return links;
  const done = links.slice(0, sure);
  const isInert = done.every(({ actions }) => actions.setVars.length === 0 && !actions.capture);
  if (!isInert || next.variables.some(({ collection }) => collection.startsWith("MATCHED_"))) return links;
  const { transforms, capture, multiMatch, setVars } = next.actions;
  const controls = [...done.flatMap((link) => link.actions.controls), ...next.actions.controls];
  const actions = { ...head.actions, transforms, capture, multiMatch, setVars, controls };
  return [{ ...next, place: head.place, actions }, ...links.slice(sure + 1)];
}
