import type { Run } from "./run.ts";
import type { Scope } from "./scope.ts";

/** What a check keeps of a long value between its turns; gone with the run. */
export class Kept<Value extends object, State> {
  readonly #make: (value: Value) => State;
  readonly #runs = new WeakMap<Run, Map<Scope | null, Map<Value, State>>>();

  constructor(make: (value: Value) => State) {
    this.#make = make;
  }

  of(run: Run, value: Value): State {
    let scopes = this.#runs.get(run);
    if (scopes === undefined) {
      scopes = new Map();
      this.#runs.set(run, scopes);
    }
    let values = scopes.get(run.scope);
    if (values === undefined) {
      values = new Map();
      scopes.set(run.scope, values);
    }
    let state = values.get(value);
    if (state === undefined) {
      state = this.#make(value);
      values.set(value, state);
    }
    return state;
  }
}
