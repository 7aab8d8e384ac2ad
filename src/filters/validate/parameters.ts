import { parseJson } from "../../bodies/json.ts";
import { type Leaves, type Readings, SENT_TWICE, type StyledParameter } from "../../bodies/parameter-styles.ts";
import type { Place } from "../../decision/verdict.ts";
import type { Judgement } from "../../schema/judge/validator.ts";
import type { TextTypes } from "../../schema/questions/texts.ts";
import { TYPE } from "../../schema/subschema.ts";
import type { Result } from "../../support/result.ts";
import type { ParameterValidator } from "./engine.ts";
import { typedLeaves } from "./text-values.ts";

/** One declared parameter, compiled. */
export interface Parameter {
  readonly name: string;
  readonly required: boolean;
  /** Whether an empty value stands for none, and is not judged. */
  readonly takesEmpty: boolean;
  /** How its value is written; of `content` it is one text. */
  readonly styled: StyledParameter;
  /** Of `content`: its text is JSON. */
  readonly isJson: boolean;
  /** Of style deepObject: more than one step leads into it. */
  readonly isNested: boolean;
  /** What its texts may be. */
  readonly types: TextTypes;
  readonly validate: ParameterValidator;
  /** Where the policy says so; the parameter's own place where the keyword stands deeper. */
  placeOf(keyword: string): Place;
}

/** What is wrong with one parameter, and where in the policy that is said. */
export interface ParameterFault {
  /** JSON Pointer into the value: empty but for items and members. */
  readonly pointer: string;
  /** Of JSON Schema, or `style` or `content` where the text is none of that. */
  readonly keyword: string;
  readonly detail: string;
  /** For the log. */
  readonly seen: string;
  readonly place: Place;
}

const NO_FAULTS: readonly ParameterFault[] = [];
const NO_PRIMITIVE = TYPE.array | TYPE.object;

/** All that is wrong with a parameter, by all its readings; null for one that is not there. Nothing of the value itself. */
export function judgeParameter(
  parameter: Parameter,
  readings: Result<Readings | null, string>,
): readonly ParameterFault[] {
  if (!readings.ok) return [styleFault(parameter, readings.error)];
  const { value } = readings;
  if (value === null) {
    return parameter.required ? [faultOf(parameter, "missing", "required", "expected this parameter")] : NO_FAULTS;
  }
  for (const leaves of value) {
    if (parameter.takesEmpty && isEmpty(leaves)) continue;
    const faults = parameter.isJson ? judgeJson(parameter, leaves) : judgeLeaves(parameter, leaves);
    if (faults.length > 0) return faults;
  }
  return NO_FAULTS;
}

function isEmpty(leaves: Leaves): boolean {
  return leaves === "" || (Array.isArray(leaves) && (leaves.length === 0 || (leaves.length === 1 && leaves[0] === "")));
}

function faultOf(parameter: Parameter, seen: string, keyword: string, detail: string, pointer = ""): ParameterFault {
  return { pointer, keyword, detail, seen, place: parameter.placeOf(keyword) };
}

export const ONE_VALUE = "expected one value, not several";

/** A text that its style does not write. */
export function styleFault(parameter: Parameter, error: string): ParameterFault {
  // Services disagree on whether the first, the last or a list of both counts.
  if (error === SENT_TWICE) return faultOf(parameter, error, "type", ONE_VALUE);
  const { style, explode, shape } = parameter.styled;
  const wanted = `${shape} in style ${style}${explode ? ", exploded" : ""}`;
  return faultOf(parameter, `style: ${error}`, "style", `expected ${wanted}, not ${error}`);
}

/** A text that is no JSON. */
export function contentFault(parameter: Parameter, error: string, pointer: string): ParameterFault {
  const detail = `expected JSON in UTF-8: ${error}`;
  return faultOf(parameter, `content: ${error}`, "content", detail, pointer);
}

/** One text, or one for each item of a list. */
function judgeJson(parameter: Parameter, texts: Leaves): readonly ParameterFault[] {
  const values: unknown[] = [];
  for (const [at, text] of (typeof texts === "string" ? [texts] : [...texts]).entries()) {
    const parsed = parseJson(Buffer.from(typeof text === "string" ? text : ""));
    if (parsed.ok) values.push(parsed.value);
    else return [contentFault(parameter, parsed.error, typeof texts === "string" ? "" : `/${at}`)];
  }
  return judgeValue(parameter, typeof texts === "string" ? values[0] : values);
}

/** Text that may be a number or text, say, is the first of the two that fits. */
function judgeLeaves(parameter: Parameter, leaves: Leaves): readonly ParameterFault[] {
  const only = Array.isArray(leaves) && leaves.length === 1 ? (leaves[0] as string) : null;
  // A list of one is written as that one is, and the schema may take either.
  if (only !== null && (parameter.types.types & ~NO_PRIMITIVE) !== 0 && judgeLeaves(parameter, only).length === 0) {
    return NO_FAULTS;
  }
  const typed = typedLeaves(leaves, parameter.types, false);
  if (typed.fault !== null) {
    const { fault, wanted, pointer } = typed;
    const what = fault === "value" ? "type" : fault === "item" ? "type of an item" : "type of a member";
    return [faultOf(parameter, `${what}, not ${wanted}`, "type", `expected ${wanted}`, pointer)];
  }
  const faults = judgeValue(parameter, typed.value);
  if (faults.length === 0 && !typed.isLoose) return NO_FAULTS;
  const asText = typedLeaves(leaves, parameter.types, true);
  const textFaults = asText.fault === null ? judgeValue(parameter, asText.value) : faults;
  if (typed.isLoose) return faults.length === 0 ? textFaults : faults;
  return textFaults.length === 0 ? NO_FAULTS : faults;
}

export function judgeValue(parameter: Parameter, value: unknown): readonly ParameterFault[] {
  return faultsOf(parameter, parameter.validate(value));
}

export function faultsOf({ placeOf }: Parameter, judgement: Judgement): readonly ParameterFault[] {
  if (judgement === null) return NO_FAULTS;
  return judgement.map(({ pointer, keyword, detail, place }) => {
    const own = placeOf(keyword);
    const at = place === null ? own : { ...place, path: own.path };
    return { pointer, keyword, detail, seen: `${pointer || "/"} ${keyword}`, place: at };
  });
}
