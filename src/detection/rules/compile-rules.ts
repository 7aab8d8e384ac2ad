import type { Steps } from "../../support/turns.ts";
import { type Search, SearchBuilder } from "../search/search.ts";
import type { RuleProblem } from "../seclang/directive.ts";
import { sqlInjection, sqlInjectionInSteps } from "../sqli/judge.ts";
import { crossSiteScript, crossSiteScriptInSteps } from "../xss/judge.ts";
import type { RuleChoice } from "./actions.ts";
import { assemble, type RuleFile } from "./assemble.ts";
import { chooses } from "./choice.ts";
import { type CompileContext, compileRule, emptyRule } from "./compile-rule.ts";
import type { Assembled, DraftItem, DraftRule } from "./draft.ts";
import { fold } from "./fold.ts";
import { HELD_BY_CODEC } from "./held-by-codec.ts";
import { listingOf, listingOfLeft, type RuleListing } from "./listing.ts";
import { type DataFileOf, type KnownPatterns, PatternIds, type RuleFault } from "./pattern-ids.ts";
import { inPhase } from "./program.ts";
import type { Rule } from "./rule.ts";
import { RuleSet } from "./rule-set.ts";
import { StageTree } from "./stages.ts";

export type ParanoiaLevel = 1 | 2 | 3 | 4;

/** What a policy says of a rule set; it stands over what the setup file says. */
export interface RuleSettings {
  readonly paranoia: ParanoiaLevel;
  /** Level up to which rules run, and only tell; that of `paranoia` where it is left out. */
  readonly detectionParanoia?: ParanoiaLevel;
  /** Score from which a request is denied. */
  readonly threshold: number;
  readonly answerThreshold: number;
  /** Further variables of the collection TX, as `allowed_methods`. */
  readonly variables: ReadonlyMap<string, string>;
}

export interface CompiledRules {
  readonly rules: RuleSet;
  readonly problems: readonly RuleProblem[];
  readonly listing: readonly RuleListing[];
  /** Directives that are read and not done, with the reason. */
  readonly notDone: Assembled["settings"];
  /** What the same is made of again without reading the files. */
  readonly source: RuleSource;
}

/** All that rules without problems are made of, beside their search: as plain data, for a file. */
export interface RuleSource {
  readonly items: readonly DraftItem[];
  readonly constants: readonly (readonly [string, string])[];
  readonly patterns: KnownPatterns;
  /** Ids of the rules that controls are about, by the choice. */
  readonly chosen: readonly (readonly [string, readonly number[]])[];
}

type Recognisers = CompileContext["recognisers"];

const RECOGNISERS: Recognisers = {
  detectsqli: Object.assign(sqlInjection, { inSteps: sqlInjectionInSteps }),
  detectxss: Object.assign(crossSiteScript, { inSteps: crossSiteScriptInSteps }),
};

/** Files of SecLang, in order → rules that run. `dataFile` gives the text of a file that a rule of the file `from` names. */
export function* compileRules(
  files: readonly RuleFile[],
  settings: RuleSettings,
  dataFile: DataFileOf,
  recognisers: Recognisers = RECOGNISERS,
): Steps<CompiledRules> {
  const assembled = yield* assemble(files);
  const { items, constants, decided } = yield* fold(assembled.items, pinnedBy(settings), BEGIN);
  const builder = new SearchBuilder();
  const drafts = assembled.items.filter((item): item is DraftRule => item.kind === "rule");
  const chosen = new Map<string, readonly number[]>();
  const idsOf = (choices: readonly RuleChoice[]): ReadonlySet<number> => {
    const heads = drafts.map(({ links }) => links[0].actions);
    const ids = heads.filter((head) => choices.some((choice) => chooses(choice, head))).map(({ id }) => id);
    chosen.set(JSON.stringify(choices), ids);
    return new Set(ids);
  };
  const patterns = new PatternIds(builder, dataFile);
  const context = { patterns, tree: new StageTree(), recognisers, dataFile, idsOf };
  const faults = new Map<number, RuleFault>();
  const phases = yield* compilePhases(items, context, faults);
  const listing = [
    ...drafts.map((rule) => listingOf(rule, decided.get(rule), faults.get(rule.links[0].actions.id))),
    ...assembled.leftOut.map(listingOfLeft),
  ];
  const unfit = drafts.flatMap((rule): RuleProblem[] => {
    const [{ actions, place }] = rule.links;
    const fault = faults.get(actions.id);
    return fault?.isProblem === true ? [{ ...place, message: fault.message }] : [];
  });
  const rules = new RuleSet(phases, constants, context.tree, builder.begin());
  const source = { items, constants: [...constants], patterns: patterns.known(), chosen: [...chosen] };
  return { rules, problems: [...assembled.problems, ...unfit], listing, notDone: assembled.settings, source };
}

/** Rules that were compiled before, with their search. */
export function* rulesOf(
  { items, constants, patterns, chosen }: RuleSource,
  search: Search,
  dataFile: DataFileOf,
  recognisers: Recognisers = RECOGNISERS,
): Steps<RuleSet> {
  const ids = new Map(chosen);
  const context = {
    patterns: new PatternIds(null, dataFile, patterns),
    tree: new StageTree(),
    recognisers,
    dataFile,
    idsOf: (choices: readonly RuleChoice[]) => new Set(ids.get(JSON.stringify(choices))),
  };
  const phases = yield* compilePhases(items, context, new Map());
  return new RuleSet(phases, new Map(constants), context.tree, search);
}

const PHASES = [1, 2, 3, 4];

function* compilePhases(
  items: readonly DraftItem[],
  context: CompileContext,
  faults: Map<number, RuleFault>,
): Steps<Rule[][]> {
  const phases: Rule[][] = [];
  for (const phase of PHASES) phases.push(yield* compilePhase(items, phase, context, faults));
  return phases;
}

/** A rule that cannot run keeps its place, so that what skips over it still lands where it should. */
function* compilePhase(
  items: readonly DraftItem[],
  phase: number,
  context: CompileContext,
  faults: Map<number, RuleFault>,
): Steps<Rule[]> {
  const rules: Rule[] = [];
  for (const { rule, next } of inPhase(items, phase)) {
    const [{ actions }] = rule.links;
    if (HELD_BY_CODEC.has(actions.id)) {
      rules.push(emptyRule(rule, next));
      continue;
    }
    const compiled = compileRule(rule, next, context);
    rules.push(compiled.ok ? compiled.value : emptyRule(rule, next));
    if (!compiled.ok) faults.set(actions.id, compiled.error);
    yield;
  }
  return rules;
}

/** A rule set asks that its setup file was read; there the policy is. */
const BEGIN: ReadonlyMap<string, string> = new Map([["crs_setup_version", "400"]]);

/** Names of version 3 and of version 4. */
function pinnedBy(settings: RuleSettings): ReadonlyMap<string, string> {
  const { paranoia, detectionParanoia = paranoia, threshold, answerThreshold, variables } = settings;
  return new Map([
    ...[...variables].map(([name, value]) => [name.toLowerCase(), value] as const),
    ["paranoia_level", `${paranoia}`],
    ["blocking_paranoia_level", `${paranoia}`],
    ["executing_paranoia_level", `${detectionParanoia}`],
    ["detection_paranoia_level", `${detectionParanoia}`],
    ["inbound_anomaly_score_threshold", `${threshold}`],
    ["outbound_anomaly_score_threshold", `${answerThreshold}`],
  ]);
}
