import type { Fault } from "../judge/faults.ts";
import type { Validator } from "../judge/validator.ts";

/** A value that is wrong in one place, and what its schema says to it. */
export interface Mutation {
  readonly value: unknown;
  readonly faults: readonly Fault[];
}

/** Of each value, so that one mutation does not take for ever to find. */
const TRIES_MAX = 256;

/** A value that fits → one that differs from it in one place and does not; null where nothing that is tried is refused. */
export function mutationOf(value: unknown, validator: Validator): Mutation | null {
  let left = TRIES_MAX;
  for (const mutant of mutants(value)) {
    if (left-- <= 0) return null;
    const faults = validator.judge(mutant);
    if (faults !== null) return { value: mutant, faults };
  }
  return null;
}

const OTHERS: readonly unknown[] = [null, true, -1.5, 1e15, "", "\u0000".repeat(64), [], {}];

/** The value with one member less, one more, or one place that is something else. */
function* mutants(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) {
    for (const at of value.keys()) {
      yield value.filter((_, other) => other !== at);
      for (const inner of mutants(value[at])) yield value.with(at, inner);
    }
    yield [...value, ...value, ...value, { other: 1 }];
  } else if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    for (const [name, member] of entries) {
      yield Object.fromEntries(entries.filter(([other]) => other !== name));
      for (const inner of mutants(member)) {
        yield Object.fromEntries(entries.map(([other, one]) => [other, other === name ? inner : one]));
      }
    }
    yield Object.fromEntries([...entries, ["a member that nobody declares", 1]]);
  }
  for (const other of OTHERS) if (typeof other !== typeof value || typeof value !== "object") yield other;
  yield Array.isArray(value) ? {} : [];
}
