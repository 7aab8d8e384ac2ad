import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { Matcher } from "../search/matcher.ts";
import { parseBytes } from "../search/pcre.ts";
import { Work } from "../search/work.ts";
import type { Member, Operator, Variable } from "../seclang/directive.ts";
import { comparisonThatHolds } from "../sqli/comparison.ts";
import type { Control, RuleChoice, SetVar } from "./actions.ts";
import { collectionNumber } from "./collections.ts";
import type { DraftLink, DraftRule } from "./draft.ts";
import { macroOf } from "./macro.ts";
import { PATTERN_OPERATORS, plainTest, RECOGNISERS, WORD_OPERATORS } from "./operators.ts";
import type { DataFileOf, PatternIds, RuleFault } from "./pattern-ids.ts";
import {
  type Exclusion,
  type Link,
  type LinkControl,
  type LinkTest,
  type NameTest,
  NEVER,
  type Recogniser,
  type Rule,
  type SetVarStep,
  type Target,
} from "./rule.ts";
import type { StageTree } from "./stages.ts";

export interface CompileContext {
  readonly patterns: PatternIds;
  readonly tree: StageTree;
  readonly recognisers: { readonly detectsqli: Recogniser; readonly detectxss: Recogniser };
  /** Ids of the rules that a choice is of. */
  readonly idsOf: (rules: readonly RuleChoice[]) => ReadonlySet<number>;
  readonly dataFile: DataFileOf;
}

const problem = (message: string): { readonly ok: false; readonly error: RuleFault } =>
  err({ message, isProblem: true });

/** A rule as it runs, or what is wrong with it. `next` is where the rules of its phase go on. */
export function compileRule(draft: DraftRule, next: number, context: CompileContext): Result<Rule, RuleFault> {
  const links: Link[] = [];
  const own = OWN_OPERATORS.get(draft.links[0].actions.id);
  for (const link of draft.links) {
    const result = compileLink(link, context, own);
    if (!result.ok) return result;
    links.push(result.value);
  }
  const [first = NEVER, ...rest] = links;
  return ok({ ...headOf(draft, next), links: [first, ...rest], searched: isSearched(first) });
}

/** The rule with its place and its name, and without what it looks for. */
export function emptyRule(draft: DraftRule, next: number): Rule {
  return { ...headOf(draft, next), links: [NEVER], searched: true };
}

function headOf({ links: [{ actions, place }], phase }: DraftRule, next: number): Omit<Rule, "links" | "searched"> {
  const { id, message, tags, severity, disruptive, logged } = actions;
  const paranoia = paranoiaOf(tags);
  return {
    id,
    place,
    phase,
    message,
    tags,
    severity,
    paranoia,
    disruptive: disruptive ?? "pass",
    logged: logged === true,
    next,
  };
}

/** The level that a tag `paranoia-level/2` tells; 0 where none does. */
export function paranoiaOf(tags: readonly string[]): number {
  for (const tag of tags) {
    const level = /^paranoia-level\/([1-4])$/.exec(tag)?.[1];
    if (level !== undefined) return Number(level);
  }
  return 0;
}

/** A rule's first link can be searched for ahead of its turn where nothing that a rule writes has a say in it. */
function isSearched({ targets, test }: Link): boolean {
  if (targets.length === 0 || test.kind === "filled") return false;
  return targets.every(({ collection, counts, name }) => collection >= 0 && !counts && name !== "REQBODY_PROCESSOR");
}

function compileLink(link: DraftLink, context: CompileContext, own?: Recogniser): Result<Link, RuleFault> {
  const test = testOf(link.operator, link.place.file, context, own);
  if (!test.ok) return test;
  const targets: Target[] = [];
  const exclusions: Exclusion[] = [];
  for (const variable of link.variables) {
    const target = targetOf(variable);
    if (!target.ok) return problem(target.error);
    if (variable.use === "exclude") exclusions.push(target.value);
    else targets.push(target.value);
  }
  const { actions } = link;
  const controls: LinkControl[] = [];
  for (const control of actions.controls) {
    const compiled = controlOf(control, context);
    if (!compiled.ok) return problem(compiled.error);
    controls.push(compiled.value);
  }
  const stages = context.tree.stagesOf(actions.transforms ?? []);
  return ok({
    targets,
    exclusions,
    test: test.value,
    negated: link.operator.negated,
    stages: actions.multiMatch ? stages : stages.slice(-1),
    capture: actions.capture,
    setVars: actions.setVars.map(withScore),
    controls,
  });
}

function controlOf(control: Control, { idsOf }: CompileContext): Result<LinkControl, string> {
  if (!("rules" in control)) return ok(control);
  const ids = idsOf(control.rules);
  if (control.kind === "removeRules") return ok({ kind: "remove", removal: { ids, exclusion: null } });
  const target = targetOf(control.target, true);
  return target.ok ? ok({ kind: "remove", removal: { ids, exclusion: target.value } }) : target;
}

const SCORE = /anomaly_score_pl[1-4]$/;

function withScore(setVar: SetVar): SetVarStep {
  return { ...setVar, scores: setVar.change === "add" && SCORE.test(setVar.name.constant?.toLowerCase() ?? "") };
}

export function targetOf(
  { collection, member, use }: Variable,
  isExclusion: boolean = use === "exclude",
): Result<Target, string> {
  const isXml = collection === "XML" && member.kind === "name";
  const name = isXml ? `XML:${member.name}` : collection;
  const all: Member = { kind: "all" };
  const isNamed = nameTestOf(isXml ? all : member, !isExclusion);
  if (!isNamed.ok) return isNamed;
  return ok({
    name,
    collection: collectionNumber(name),
    isNamed: isNamed.value,
    member: !isXml && member.kind === "name" ? member.name.toLowerCase() : null,
    counts: use === "count",
  });
}

/** Rule sets name the same few hundreds of times. */
const namePatterns = new Map<string, Result<NameTest, string>>();
const NAME_PATTERNS_MAX = 256;

/**
 * Names are compared without regard to case, as ModSecurity does. `tooLong`: what is said of a name that takes too long to hold
 * against a pattern, so that no name leads past a rule.
 */
function nameTestOf(member: Member, tooLong: boolean): Result<NameTest, string> {
  if (member.kind === "all") return ok(null);
  if (member.kind === "name") {
    const wanted = member.name.toLowerCase();
    return ok((name) => name.length === wanted.length && name.toLowerCase() === wanted);
  }
  const key = `${tooLong} ${member.source}`;
  const known = namePatterns.get(key);
  if (known !== undefined) return known;
  const made = namePattern(member.source, tooLong);
  if (namePatterns.size >= NAME_PATTERNS_MAX) namePatterns.clear();
  namePatterns.set(key, made);
  return made;
}

function namePattern(source: string, tooLong: boolean): Result<NameTest, string> {
  if (/^\w+$/.test(source)) {
    const part = source.toLowerCase();
    return ok((name) => name.toLowerCase().includes(part));
  }
  const parsed = parseBytes(`(?i:${source})`);
  const matcher = parsed.ok ? Matcher.of(parsed.value.tree) : parsed;
  if (!matcher.ok) return err(`the pattern /${source}/ of a name: ${matcher.error.message}`);
  return ok((name) => {
    const work = new Work(DEFAULTS.patternWorkMax);
    const isNamed = matcher.value.test(name, work);
    return work.isSpent ? tooLong : isNamed;
  });
}

/** Rules whose patterns refer back, which no search in linear time does: what finds the same. */
const OWN_OPERATORS: ReadonlyMap<number, Recogniser> = new Map([[942130, comparisonThatHolds]]);

/** Whether an operator of our own stands in place of a rule's pattern. */
export function hasOwnOperator({ links: [{ actions, operator }] }: DraftRule): boolean {
  return OWN_OPERATORS.has(actions.id) && refersBack(operator);
}

function refersBack({ name, argument }: Operator): boolean {
  return PATTERN_OPERATORS.has(name) && /(?<!\\)(?:\\\\)*\\[1-9]/.test(argument);
}

/** Patterns that rules use to capture a value. */
const WHOLE: ReadonlySet<string> = new Set(["^.*$", "^.*", ".*$", ".*"]);

function testOf(
  operator: Operator,
  file: string,
  context: CompileContext,
  own?: Recogniser,
): Result<LinkTest, RuleFault> {
  const { name, argument } = operator;
  const macro = macroOf(argument);
  if (RECOGNISERS.has(name)) {
    const recognise = name === "detectsqli" ? context.recognisers.detectsqli : context.recognisers.detectxss;
    return ok({ kind: "recogniser", recognise });
  }
  if (macro.constant === null) return ok({ kind: "filled", operator: name, argument: macro });
  if (PATTERN_OPERATORS.has(name) && WHOLE.has(argument)) return ok({ kind: "whole" });
  if (own !== undefined && refersBack(operator)) return ok({ kind: "recogniser", recognise: own });
  if (PATTERN_OPERATORS.has(name) || WORD_OPERATORS.has(name)) {
    const id = context.patterns.of(operator, file);
    return id.ok ? ok({ kind: "pattern", id: id.value }) : id;
  }
  const test = plainTest(name, argument, (wanted) => context.dataFile(wanted, file));
  if (test === null) return problem(`'@${name}' is no operator that is known`);
  return test.ok ? ok({ kind: "text", test: test.value }) : problem(test.error);
}
