import { memberOf } from "../attributes/readers.ts";
import { AMBIGUOUS } from "../attributes/types.ts";
import type { Run, Variable } from "./planned.ts";
import { EvalFault, fromJson, kindOf, PRESENCE } from "./values.ts";

export function reader<Subject>(variable: Variable<Subject>): Run<Subject> {
  const missing = new EvalFault(`there is no ${variable.text}`);
  const ambiguous = new EvalFault(`${variable.text} has no single reading`);
  return ({ subject }) => {
    const value = variable.read(subject);
    if (value === undefined) return missing;
    return value === AMBIGUOUS ? ambiguous : value;
  };
}

export function fault(op: string, value: unknown): EvalFault {
  return value instanceof EvalFault ? value : new EvalFault(`'${op}' takes no ${kindOf(fromJson(value))}`);
}

/** Undefined where there is none. */
export function member(value: unknown, name: string): unknown {
  if (value instanceof EvalFault) return value;
  const kind = kindOf(fromJson(value));
  if (kind !== "map" || typeof value !== "object" || value === null) return new EvalFault(`a ${kind} has no members`);
  // Names of a message are those of its descriptor: no reader takes one for another.
  if (PRESENCE in value) return Reflect.get(value, name);
  const found = memberOf(value, name);
  return found === AMBIGUOUS ? new EvalFault(`'${name}' has no single reading`) : found;
}

/** Whether a member came. */
export function isPresent(value: unknown, name: string): boolean | EvalFault {
  const came: unknown = typeof value === "object" && value !== null && PRESENCE in value ? value[PRESENCE] : undefined;
  if (typeof came === "function") return came(name) === true;
  const found = member(value, name);
  return found instanceof EvalFault ? found : found !== undefined;
}

export function present(value: unknown, name: string): unknown {
  return value === undefined ? new EvalFault(`there is no '${name}'`) : value;
}

export function itemAt(container: unknown, key: unknown): unknown {
  if (!Array.isArray(container)) {
    return typeof key === "string"
      ? present(member(container, key), key)
      : new EvalFault(`a ${kindOf(container)} has no items`);
  }
  if (typeof key !== "bigint" && !(typeof key === "number" && Number.isInteger(key)))
    return new EvalFault("items of a list have whole numbers");
  const at = Number(key);
  return at >= 0 && at < container.length ? container[at] : new EvalFault("a list has no item of that number");
}
