import type { Result } from "../../support/result.ts";
import type { Steps } from "../../support/turns.ts";
import { actionsOf } from "./actions.ts";
import type { Action, Directive, Place, RuleProblem } from "./directive.ts";
import { logicalLines, wordsOf } from "./lines.ts";
import { operatorOf } from "./operator.ts";
import { variablesOf } from "./variables.ts";

/** What a file says, in order, and what of it could not be read. */
export interface ReadRules {
  readonly directives: readonly Directive[];
  readonly problems: readonly RuleProblem[];
}

/** Lines between two turns. */
const LINES_A_STEP = 4;

/** A file of SecLang → its directives. `text` is its bytes, each a character. */
export function* readSecLang(file: string, text: string): Steps<ReadRules> {
  const directives: Directive[] = [];
  const problems: RuleProblem[] = [];
  let lines = 0;
  for (const { text: statement, line } of logicalLines(text)) {
    if (++lines % LINES_A_STEP === 0) yield;
    const place = { file, line };
    const directive = readDirective(statement, place);
    if (typeof directive === "string") problems.push({ ...place, message: directive });
    else directives.push(directive);
  }
  return { directives, problems };
}

/** A directive, or what is wrong with it. */
function readDirective(statement: string, place: Place): Directive | string {
  if (statement.startsWith("<"))
    return `'${statement.slice(0, 40)}' belongs to a server, not to SecLang; leave out the lines of <…>`;
  const words = wordsOf(statement);
  if (words === null) return 'a quote is not closed; a quote inside of a text is written \\"';
  const [name = "", ...rest] = words;
  switch (name.toLowerCase()) {
    case "secrule":
      return readRule(rest, place);
    case "secrulescript":
      // A rule, so that the chain that it ends is one: like `@inspectFile` it is not run.
      return readRule(["ARGS", `@inspectFile ${rest[0] ?? ""}`, ...rest.slice(1)], place);
    case "secaction":
      return readAction(rest, place);
    case "secmarker":
      return rest.length === 1 ? { kind: "marker", place, name: rest[0] ?? "" } : "SecMarker takes one name";
    default:
      return { kind: "setting", place, name, words: rest };
  }
}

function readRule(words: readonly string[], place: Place): Directive | string {
  const [targets, operator, actions = "", more] = words;
  if (targets === undefined || operator === undefined || more !== undefined)
    return `SecRule takes variables, an operator and actions, here it has ${words.length} texts; put each in quotes`;
  const variables = variablesOf(targets);
  if (!variables.ok) return variables.error;
  return withActions(actions, (list) => ({
    kind: "rule",
    place,
    variables: variables.value,
    operator: operatorOf(operator),
    actions: list,
  }));
}

function readAction(words: readonly string[], place: Place): Directive | string {
  const [actions, more] = words;
  if (actions === undefined || more !== undefined) return "SecAction takes its actions as one text; put it in quotes";
  return withActions(actions, (list) => ({ kind: "action", place, actions: list }));
}

function withActions(text: string, make: (list: readonly Action[]) => Directive): Directive | string {
  const list: Result<readonly Action[], string> = actionsOf(text);
  return list.ok ? make(list.value) : list.error;
}
