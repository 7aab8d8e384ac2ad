import { compilePattern } from "../../schema/pattern/index.ts";
import { withPatternWork } from "../../schema/pattern/work.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { Steps } from "../../support/turns.ts";
import type { NamedText } from "../facts.ts";
import { filled } from "./macro.ts";
import { PATTERN_OPERATORS, plainTest, type TextTest, WORD_OPERATORS } from "./operators.ts";
import type { Exclusion, Link, LinkTest, Target } from "./rule.ts";
import type { Spending } from "./spending.ts";
import type { StageTree } from "./stages.ts";
import type { Matched, Variables } from "./variables.ts";

/** What a hit shows: whose value matched, and which part of it. */
export interface LinkMatch {
  readonly target: string;
  part(): string;
}

/** A longer text is searched in steps. */
export const LONG_CHARACTERS = 2_048;

/** Tests of rules whose arguments are a request's, by operator and argument. */
const madeTests = new Map<string, TextTest>();
const MADE_TESTS_MAX = 256;

/** Runs the links of one rule after the other. */
export class LinkRun {
  /** What the rule has added to a score. */
  score = 0;
  /** The last match in what a request brought. */
  shown: LinkMatch | null = null;
  readonly #tree: StageTree;
  readonly #variables: Variables;
  readonly #spending: Spending;
  #matched: Matched[] = [];

  constructor(tree: StageTree, variables: Variables, spending: Spending) {
    this.#tree = tree;
    this.#variables = variables;
    this.#spending = spending;
  }

  /** A rule begins. */
  begin(): void {
    this.score = 0;
    this.shown = null;
  }

  /** What a pattern finds in the long ones of its values, in steps, for `matches` to know. */
  *ahead({ test, targets, stages, negated }: Link): Steps<void> {
    if (test.kind !== "pattern") return;
    for (const target of targets) {
      const entries =
        target.collection < 0 ? this.#variables.runEntries(target) : this.#variables.entries(target.collection);
      for (const { value } of entries) {
        if (value.length <= LONG_CHARACTERS || target.counts) continue;
        for (const stage of stages) {
          const text = yield* this.#tree.textAtInSteps(stage, value);
          yield;
          const holds = yield* this.#spending.testAhead(test.id, text);
          if (holds && !negated) yield* this.#spending.matchAhead(test.id, text);
        }
      }
    }
  }

  matches(link: Link, exclusions: readonly Exclusion[]): boolean {
    this.#matched = [];
    if (link.targets.length === 0) {
      for (const setVar of link.setVars) this.#set(setVar);
      return true;
    }
    const holds = this.#testOf(link.test);
    for (const target of link.targets) this.#testTarget(link, target, holds, exclusions);
    return this.end();
  }

  /** The first link of a rule matched there: it was found before. */
  takeFound(link: Link, target: number, entry: NamedText, text: string, exclusions: readonly Exclusion[]): void {
    const from = link.targets[target];
    if (from === undefined || isExcluded(from, entry.name, exclusions)) return;
    this.#take(link, from, entry, text);
  }

  /** Ends a link: what it matched is what the next one sees. */
  end(): boolean {
    const matched = this.#matched;
    this.#matched = [];
    if (matched.length === 0) return false;
    this.#variables.matched = matched;
    return true;
  }

  #testTarget(link: Link, target: Target, holds: TextTest, exclusions: readonly Exclusion[]): void {
    const isOwn = target.collection < 0;
    const entries = isOwn ? this.#variables.runEntries(target) : this.#variables.entries(target.collection);
    let count = 0;
    for (const entry of entries) {
      if (target.isNamed !== null && !isOwn && !target.isNamed(entry.name)) continue;
      if (isExcluded(target, entry.name, link.exclusions) || isExcluded(target, entry.name, exclusions)) continue;
      count++;
      if (!target.counts) this.#testValue(link, target, entry, holds);
    }
    if (target.counts && holds(`${count}`) !== link.negated)
      this.#take(link, target, { name: target.member ?? "", value: `${count}`, shape: -1 }, `${count}`);
  }

  #testValue(link: Link, target: Target, entry: NamedText, holds: TextTest): void {
    let before: string | null = null;
    for (const stage of link.stages) {
      const text = this.#tree.textAt(stage, entry.value);
      if (text === before) continue;
      before = text;
      if (holds(text) !== link.negated) this.#take(link, target, entry, text);
    }
  }

  #take(link: Link, target: Target, { name }: NamedText, text: string): void {
    const matched = { target: name === "" ? target.name : `${target.name}:${name}`, value: text };
    this.#matched.push(matched);
    const before = this.#variables.matched;
    this.#variables.matched = this.#matched;
    if (link.capture && !link.negated) this.#capture(link.test, text);
    for (const setVar of link.setVars) this.#set(setVar);
    // The link goes on with what the one before matched, which may be its own target.
    this.#variables.matched = before;
    if (target.collection >= 0 || this.shown === null)
      this.shown = { target: matched.target, part: () => this.#partOf(link, text) };
  }

  #set(setVar: Link["setVars"][number]): void {
    const by = this.#variables.set(setVar);
    if (setVar.scores) this.score += by;
  }

  #capture(test: LinkTest, text: string): void {
    if (test.kind === "whole") this.#variables.capture(text, []);
    else if (test.kind === "recogniser") {
      this.#variables.capture(this.#spending.recognised(test.recognise, text) ?? text, []);
    } else if (test.kind === "pattern") {
      const match = this.#spending.match(test.id, text);
      if (match !== null) this.#variables.capture(text.slice(match.start, match.end), match.groups);
    }
  }

  #partOf({ test, negated }: Link, text: string): string {
    if (test.kind !== "pattern" || negated) return text;
    const match = this.#spending.match(test.id, text);
    return match === null ? text : text.slice(match.start, match.end);
  }

  #testOf(test: LinkTest): TextTest {
    if (test.kind === "text") return test.test;
    if (test.kind !== "filled") return (text) => this.#spending.holds(test, text);
    const argument = filled(test.argument, this.#variables.read);
    const key = `${test.operator} ${argument}`;
    const known = madeTests.get(key);
    if (known !== undefined) return known;
    const made = makeTest(test.operator, argument);
    if (madeTests.size >= MADE_TESTS_MAX) madeTests.clear();
    if (key.length <= 1024) madeTests.set(key, made);
    return made;
  }
}

/** What an argument that a request has a part in makes no test of matches nothing. */
function makeTest(operator: string, argument: string): TextTest {
  if (PATTERN_OPERATORS.has(operator)) {
    const pattern = compilePattern(argument, { unicode: false });
    if (!pattern.ok) return () => false;
    return (text) => withPatternWork(DEFAULTS.patternWorkMax, () => pattern.value.test(text)) ?? true;
  }
  if (WORD_OPERATORS.has(operator)) {
    const words = argument
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== "");
    return (text) => words.some((word) => text.toLowerCase().includes(word));
  }
  const test = plainTest(operator, argument, () => undefined);
  return test?.ok === true ? test.value : () => false;
}

function isExcluded({ name }: Target, member: string, exclusions: readonly Exclusion[]): boolean {
  return exclusions.some((one) => one.name === name && (one.isNamed === null || one.isNamed(member)));
}
