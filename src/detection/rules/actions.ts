import type { Action, Place, RuleProblem, Variable } from "../seclang/directive.ts";
import { variablesOf } from "../seclang/variables.ts";
import { transformOf } from "../transform/index.ts";
import { type Macro, macroOf } from "./macro.ts";

/** `setvar:tx.name=+value`. */
export interface SetVar {
  /** Of the collection TX, in small letters once it is filled. */
  readonly name: Macro;
  readonly change: "set" | "add" | "subtract" | "unset";
  readonly value: Macro;
}

/** Which rules are meant. */
export type RuleChoice =
  | { readonly by: "id"; readonly first: number; readonly last: number }
  | { readonly by: "tag" | "message"; readonly text: string };

/** Whether rules run, and whether they may deny. */
export type EngineMode = "on" | "detectiononly" | "off";

/** What a rule changes of the transaction. */
export type Control =
  | { readonly kind: "removeRules"; readonly rules: readonly RuleChoice[] }
  | { readonly kind: "removeTarget"; readonly rules: readonly RuleChoice[]; readonly target: Variable }
  | { readonly kind: "engine"; readonly mode: EngineMode }
  | { readonly kind: "processor"; readonly name: string };

/** What a match does to the request. */
export type Disruptive = "pass" | "block" | "deny" | "allow" | "allowPhase" | "allowRequest";

/** The actions of one rule, or of one link of a chain. */
export interface RuleActions {
  /** 0 where it has none. */
  id: number;
  phase: number | null;
  message: Macro;
  logData: Macro;
  readonly tags: string[];
  /** As ModSecurity counts: 0 emergency … 7 debug; null where it says none. */
  severity: number | null;
  disruptive: Disruptive | null;
  readonly setVars: SetVar[];
  readonly controls: Control[];
  /** Null where it says none, so that the default's hold. */
  transforms: string[] | null;
  capture: boolean;
  multiMatch: boolean;
  chained: boolean;
  logged: boolean | null;
  skip: number;
  skipAfter: string | null;
  /** What of it is not done, and why. */
  readonly left: string[];
}

const NO_TEXT = macroOf("");
const PERSISTENT = "what outlives a request is not kept by rules; limits and bans do that";
const SEVERITIES = ["EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"];

/** Actions that say something to people, or set what the log has. */
const REMARKS = new Set(["rev", "ver", "maturity", "accuracy", "status", "auditlog", "noauditlog", "xmlns"]);

/** Actions that are not done, and why. */
const LEFT_OUT = new Map([
  ["initcol", PERSISTENT],
  ["expirevar", PERSISTENT],
  ["deprecatevar", PERSISTENT],
  ["setsid", PERSISTENT],
  ["setuid", PERSISTENT],
  ["setrsc", PERSISTENT],
  ["setenv", "no other program reads its environment"],
  ["exec", "rules start no programs"],
  ["pause", "rules do not hold requests; limits do"],
  ["append", "rules do not change answers"],
  ["prepend", "rules do not change answers"],
  ...["sanitisearg", "sanitisematched", "sanitiserequestheader", "sanitiseresponseheader"].map(
    (name) => [name, "the log never has values"] as const,
  ),
]);

const DISRUPTIVE = new Map<string, Disruptive>([
  ["pass", "pass"],
  ["block", "block"],
  ["deny", "deny"],
  ["drop", "deny"],
  ["redirect", "deny"],
  ["proxy", "deny"],
]);

/** Actions as they stand → what they mean; what cannot be understood goes to `problems`. */
export function ruleActions(actions: readonly Action[], place: Place, problems: RuleProblem[]): RuleActions {
  const rule: RuleActions = {
    id: 0,
    phase: null,
    message: NO_TEXT,
    logData: NO_TEXT,
    tags: [],
    severity: null,
    disruptive: null,
    setVars: [],
    controls: [],
    transforms: null,
    capture: false,
    multiMatch: false,
    chained: false,
    logged: null,
    skip: 0,
    skipAfter: null,
    left: [],
  };
  for (const action of actions) {
    const fault = take(rule, action);
    if (fault !== null) problems.push({ ...place, message: fault });
  }
  return rule;
}

/** What is wrong with an action; null where it is taken. */
function take(rule: RuleActions, { name, value }: Action): string | null {
  const disruptive = DISRUPTIVE.get(name);
  if (disruptive !== undefined) rule.disruptive = disruptive;
  else if (LEFT_OUT.has(name)) rule.left.push(`${name}: ${LEFT_OUT.get(name)}`);
  else if (!REMARKS.has(name)) return takeOther(rule, name, value);
  return null;
}

function takeOther(rule: RuleActions, name: string, value: string): string | null {
  switch (name) {
    case "id":
      rule.id = Number(value);
      return /^\d{1,15}$/.test(value) ? null : `'${value}' is no id; write a number`;
    case "phase":
      rule.phase = PHASES.get(value.toLowerCase()) ?? null;
      return rule.phase === null ? `'${value}' is no phase; write 1 to 5` : null;
    case "msg":
      rule.message = macroOf(value);
      return null;
    case "logdata":
      rule.logData = macroOf(value);
      return null;
    case "tag":
      rule.tags.push(value);
      return null;
    case "severity":
      rule.severity = /^[0-7]$/.test(value) ? Number(value) : SEVERITIES.indexOf(value.toUpperCase());
      return rule.severity < 0 ? `'${value}' is no severity; write one of ${SEVERITIES.join(", ")}` : null;
    case "allow":
      rule.disruptive = value === "" ? "allow" : value === "phase" ? "allowPhase" : "allowRequest";
      return null;
    case "t":
      return takeTransform(rule, value);
    case "setvar":
      return takeSetVar(rule, value);
    case "ctl":
      return takeControl(rule, value);
    default:
      return takeFlag(rule, name, value);
  }
}

function takeFlag(rule: RuleActions, name: string, value: string): string | null {
  switch (name) {
    case "capture":
      rule.capture = true;
      return null;
    case "multimatch":
      rule.multiMatch = true;
      return null;
    case "chain":
      rule.chained = true;
      return null;
    case "log":
    case "nolog":
      rule.logged = name === "log";
      return null;
    case "skip":
      rule.skip = Number(value);
      return /^[1-9]\d{0,4}$/.test(value) ? null : `'skip:${value}' is no number of rules`;
    case "skipafter":
      rule.skipAfter = value;
      return null;
    default:
      return `'${name}' is no action that is known`;
  }
}

const PHASES = new Map([
  ...[1, 2, 3, 4, 5].map((phase) => [`${phase}`, phase] as const),
  ["request", 2],
  ["response", 4],
  ["logging", 5],
]);

function takeTransform(rule: RuleActions, value: string): string | null {
  const name = value.toLowerCase();
  if (name !== "none" && transformOf(name) === undefined) return `'t:${value}' is no transformation that is known`;
  rule.transforms ??= [];
  if (name === "none") rule.transforms.length = 0;
  else rule.transforms.push(name);
  return null;
}

const SET_VAR = /^(!?)([A-Za-z]+)[.:]([^=]*)(?:=([+-]?)(.*))?$/s;

function takeSetVar(rule: RuleActions, text: string): string | null {
  const [, unset, collection = "", name = "", sign, value] = SET_VAR.exec(text) ?? [];
  if (name === "") return `'setvar:${text}' says no variable`;
  if (collection.toLowerCase() !== "tx") {
    rule.left.push(`setvar:${collection.toLowerCase()}: ${PERSISTENT}`);
    return null;
  }
  const change = unset === "!" ? "unset" : sign === "+" ? "add" : sign === "-" ? "subtract" : "set";
  rule.setVars.push({ name: macroOf(name), change, value: macroOf(value ?? "1") });
  return null;
}

/** Settings of logs that postern does not write, and what is so in any case: of a body that nothing reads there is the text. */
const IDLE_CONTROLS = new Set(["auditengine", "auditlogparts", "debugloglevel", "forcerequestbodyvariable"]);

/** Settings that a rule may change for a request, which are not of the rules here. */
const CONTROLS_LEFT_OUT = new Set([
  "requestbodyaccess",
  "requestbodylimit",
  "responsebodyaccess",
  "responsebodylimit",
  "hashengine",
  "hashenforcement",
  "parsexmlintoargs",
]);

function takeControl(rule: RuleActions, text: string): string | null {
  const [, setting = "", value = ""] = /^([A-Za-z]+)=(.*)$/s.exec(text) ?? [];
  const name = setting.toLowerCase();
  if (IDLE_CONTROLS.has(name)) return null;
  if (CONTROLS_LEFT_OUT.has(name)) {
    rule.left.push(`ctl:${setting}: postern decides this`);
    return null;
  }
  const controls = controlsOf(name, value);
  if (typeof controls === "string") return controls;
  rule.controls.push(...controls);
  return null;
}

function controlsOf(name: string, value: string): readonly Control[] | string {
  switch (name) {
    case "ruleengine":
      return ENGINE_MODES.includes(value.toLowerCase() as EngineMode)
        ? [{ kind: "engine", mode: value.toLowerCase() as EngineMode }]
        : `'ctl:ruleEngine=${value}' is none of On, DetectionOnly and Off`;
    case "requestbodyprocessor":
      return [{ kind: "processor", name: value.toUpperCase() }];
    default:
      return removalsOf(name, value);
  }
}

const ENGINE_MODES: readonly EngineMode[] = ["on", "detectiononly", "off"];
const REMOVAL = /^rule(remove|removetarget)by(id|tag|msg)$/;

function removalsOf(name: string, value: string): readonly Control[] | string {
  const [, what, by] = REMOVAL.exec(name) ?? [];
  if (what === undefined) return `'ctl:${name}' is no setting that is known`;
  const [chosen = "", ...targets] = value.split(";");
  const rules = by === "id" ? idChoices(chosen) : textChoice(by === "tag" ? "tag" : "message", chosen);
  if (typeof rules === "string") return rules;
  if (what === "remove") return [{ kind: "removeRules", rules }];
  const variables = variablesOf(targets.join(";"));
  if (!variables.ok) return `'ctl:${name}=${value}' says no variable`;
  return variables.value.map((target) => ({ kind: "removeTarget", rules, target }));
}

export function textChoice(by: "tag" | "message", text: string): readonly RuleChoice[] {
  return [{ by, text: text.replace(/^(["'])(.*)\1$/s, "$2") }];
}

/** `942100`, `942100-942999`, several with commas or spaces; or what is wrong. */
export function idChoices(text: string): readonly RuleChoice[] | string {
  const choices: RuleChoice[] = [];
  for (const part of text.replaceAll('"', "").split(/[\s,]+/)) {
    const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (first !== undefined) choices.push({ by: "id", first: Number(first), last: Number(last ?? first) });
    else if (part !== "") return `'${part}' is no id of a rule`;
  }
  return choices.length === 0 ? "it names no rule" : choices;
}
