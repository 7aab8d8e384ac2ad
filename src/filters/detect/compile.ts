import { hash } from "node:crypto";
import type { Place } from "../../decision/verdict.ts";
import { compileRules, rulesOf } from "../../detection/rules/compile-rules.ts";
import { lackingOf } from "../../detection/rules/lacking.ts";
import type { RuleListing } from "../../detection/rules/listing.ts";
import type { RouteRules } from "../../detection/rules/rule-set.ts";
import type { RuleProblem } from "../../detection/seclang/directive.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { Steps } from "../../support/turns.ts";
import { type CompileContext, type Detector, defineFilter, type RouteContext } from "../filter.ts";
import { readingOf } from "../response/reading.ts";
import { judgeContentEncoding } from "../validate/evaluate.ts";
import { longBodies } from "../validate/long-bodies.ts";
import { answerCheck } from "./answers.ts";
import { isOfMessages, wayOf } from "./body-facts.ts";
import { DetectCheck, type DetectRules, type Searches } from "./evaluate.ts";
import { exclusionsOf } from "./exclusions.ts";
import { refusalsOf } from "./probe.ts";
import { dataFileOf, type RuleFiles, readRuleFiles } from "./rule-files.ts";
import { type KeepableRules, RuleKeeper } from "./rule-keeper.ts";
import { type DetectorSettings, type DetectSettings, detectSchema, type ExclusionSettings } from "./schema.ts";
import { shapesOf } from "./value-shapes.ts";

export { detectorSchema } from "./schema.ts";

/** An entry of `detectors` → what routes search with, or null with problems reported. */
export function* compileDetector(
  name: string,
  settings: DetectorSettings,
  context: CompileContext,
): Steps<Detector | null> {
  const files = readRuleFiles(settings.rules, context);
  if (files === null) return null;
  const variables = new Map(Object.entries(settings.variables ?? {}));
  const wanted = {
    paranoia: settings.paranoia ?? 1,
    detectionParanoia: settings.detectionParanoia ?? settings.paranoia ?? 1,
    threshold: settings.threshold ?? DEFAULTS.detectThreshold,
    answerThreshold: settings.answerThreshold ?? DEFAULTS.detectAnswerThreshold,
    variables,
  };
  const inputs = [JSON.stringify([wanted, [...variables]])];
  for (const { file, text } of files.rules) inputs.push(file, text);
  for (const [file, text] of files.data) inputs.push(file, text);
  const digest = hash("sha256", inputs.map((input) => hash("sha256", input)).join());
  const keeper = context.resource("rules", [name, digest], (world) => new RuleKeeper(name, digest, world));
  const dataFile = (data: string, from: string): string | undefined => dataFileOf(files, data, from);
  const compiled = yield* context.keep<Compiled>("detector", inputs, function* () {
    const kept = yield* keeper.load();
    if (kept !== null) {
      const rules = yield* rulesOf(kept.source, kept.search, dataFile);
      return { rules, problems: [], listing: [], notDone: [], lacking: kept.lacking, source: null };
    }
    const made = yield* compileRules(files.rules, wanted, dataFile);
    return { ...made, lacking: lackingOf(made) };
  });
  if (compiled === null) return null;
  const { rules, problems, listing, notDone } = compiled;
  for (const { file, line, message } of problems) context.problemAt({ file, line, column: 1, path: "" }, message);
  const exclusions = exclusionsOf(settings.exclude ?? [], (text, ...path) => context.problem(text, "exclude", ...path));
  if (problems.length > 0) return null;
  tellLacking(compiled.lacking, context);
  yield* tellUnreadVariables(files, variables.keys(), context);
  keeper.follow(compiled);
  return { name, place: context.place(), settings, rules, keeper, exclusions, listing, notDone, probes: new Map() };
}

interface Compiled extends KeepableRules {
  readonly problems: readonly RuleProblem[];
  readonly listing: readonly RuleListing[];
  readonly notDone: Detector["notDone"];
}

function tellLacking(lacking: readonly RuleProblem[], context: CompileContext): void {
  for (const { file, line, message } of lacking.slice(0, TOLD_MAX))
    context.warningAt("rule_not_done", { file, line, column: 1, path: "" }, message);
  const more = lacking.length - TOLD_MAX;
  if (more > 0)
    context.warning(
      "rule_not_done",
      `${more} more rules and directives do nothing, or less than they say; 'check --rules' has all of them`,
      "rules",
    );
}

/** A name that is misspelt leaves the rules at what they take without it. */
function* tellUnreadVariables({ rules }: RuleFiles, names: Iterable<string>, context: CompileContext): Steps<void> {
  for (const name of names) {
    yield;
    const pattern = new RegExp(`tx[.:]${name.replaceAll(".", "\\.")}(?![\\w.-])`, "i");
    if (!rules.some(({ text }) => pattern.test(text)))
      context.warning("variable_unread", `no rule has 'tx.${name}'`, "variables", name);
  }
}

const TOLD_MAX = 10;

/** `detect`: which detectors search the requests of a route, and their answers. */
export const detectFilter = defineFilter<DetectSettings>({
  name: "detect",
  defaults: "override",
  section: "detectors",
  schema: detectSchema,
  *compile(settings, context) {
    const { by, exclude = [], mode } = Array.isArray(settings) ? { by: settings } : settings;
    const path = Array.isArray(settings) ? [] : ["by"];
    for (const [at, name] of by.entries()) {
      const detector = context.detectors.get(name);
      if (detector !== undefined) {
        const place = context.place(...path, at);
        const excludeProblem: RouteUse["excludeProblem"] = (text, ...inner) =>
          context.problem(text, "exclude", ...inner);
        const own = { exclude, excludeProblem, mode, place };
        yield* compileUse(detector, own, context);
      } else if (!context.isDefined("detectors", name)) {
        context.problem(`detector '${name}' is not defined; ${context.hint("detectors", name)}`, ...path, at);
      }
      yield;
    }
  },
});

/** What a route says of a detector itself. */
interface RouteUse {
  readonly exclude: readonly ExclusionSettings[];
  excludeProblem(text: string, ...path: (string | number)[]): void;
  readonly mode: number | undefined;
  readonly place: Place;
}

function* compileUse(detector: Detector, own: RouteUse, context: RouteContext): Steps<void> {
  const { name, settings, rules, keeper } = detector;
  const shapes = shapesOf(context.promises);
  const threshold = settings.threshold ?? DEFAULTS.detectThreshold;
  const enforcePercent = own.mode ?? settings.mode ?? 100;
  const routeRules = rules.forRoute({
    constraints: shapes.constraints,
    exclusions: [...detector.exclusions, ...exclusionsOf(own.exclude, own.excludeProblem)],
  });
  tellUnread(own, context);
  if (rules.isPrepared || context.isOnlyLookedAt) {
    yield* routeRules.prepare();
    for (const text of refusalTexts(detector, routeRules, own, context))
      context.warning("detector_refuses_route", text);
  } else {
    keeper.later(() => routeRules.prepare());
    keeper.later(function* () {
      for (const text of refusalTexts(detector, routeRules, own, context)) keeper.tell(text);
      yield;
    });
  }
  const bytesMax = DEFAULTS.bodyInspectedBytesMax;
  const detect: DetectRules = {
    detector: name,
    rules: routeRules,
    shapes,
    pathNames: [...context.template.matchAll(/\{([^}]+)\}/g)].map((match) => match[1] ?? ""),
    searchBytesMax: settings.searchBytesMax ?? DEFAULTS.detectSearchBytesMax,
    refusesBeyond: settings.beyond !== "pass",
    threshold,
    place: own.place,
    hold: {
      bytesMax,
      collectedBytesMax: enforcePercent === 100 ? bytesMax : Math.max(bytesMax, DEFAULTS.bodyBytesMax),
      bodies: context.memory.bodies,
      longBodies,
      clock: context.clock,
      place: own.place,
    },
    encoding: judgeContentEncoding(own.place),
  };
  const searches: Searches = new WeakMap();
  context.addCheck(new DetectCheck(detect, enforcePercent, searches));
  const { answers = "off" } = settings;
  if (answers === "off") return;
  context.addResponseCheck(answerCheck(detect, enforcePercent, answers, searches));
  // What `response` says of compressed answers stands in its place.
  if (answers === "bodies") context.setAnswerReading(readingOf({}, own.place));
}

/** Messages of gRPC are judged by their own description. */
const isRead = (type: string): boolean => wayOf(type) !== "none" || isOfMessages(type);
const namedTypes = ({ takenTypes }: RouteContext): string[] => takenTypes.filter((type) => !type.includes("*"));

/** A body that no rule can look into. */
function tellUnread(own: RouteUse, context: RouteContext): void {
  for (const type of namedTypes(context).filter((one) => !isRead(one))) {
    const text = `rules cannot read a body of '${type}'; expected 'detect: []' on a route of such bodies`;
    // Of the defaults it is a route's own matter, and no reason to have no policy at all.
    if (own.place.path.startsWith("defaults"))
      context.warning("detector_refuses_route", `${context.template}: ${text}`);
    else context.problem(text);
  }
}

/** What the rules do to a route whatever its clients send, which its author has hardly meant. */
function refusalTexts(detector: Detector, rules: RouteRules, own: RouteUse, context: RouteContext): string[] {
  // What a route leaves out is its own; all others are asked about once.
  const known = own.exclude.length === 0 ? detector.probes : new Map();
  return refusalsOf(rules, context.methods, namedTypes(context).filter(isRead), known).map(({ what, id, message }) => {
    const mend = "say in 'variables' what crs-setup.conf would, or leave it out by 'exclude'";
    return `${context.template}: rule ${id} of '${detector.name}' has something against each '${what}' (${message}); ${mend}`;
  });
}
