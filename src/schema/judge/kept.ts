import type { Run } from "./run.ts";
import type { Scope } from "./scope.ts";

/** What a check keeps of a long value between its turns; gone with the run. */
export class Kept<Value extends object, State> {
  readonly #runs = new WeakMap<Run, Map<Scope | null, Map<Value, State>>>();

  find(run: Run, value: Value): State | undefined {
    return this.#runs.get(run)?.get(run.scope)?.get(value);
  }

  /** `scope`: of the run when the check began; in the middle of its work it may be another. */
  keep(run: Run, scope: Scope | null, value: Value, state: State): void {
    let scopes = this.#runs.get(run);
    if (scopes === undefined) {
      scopes = new Map();
      this.#runs.set(run, scopes);
    }
    const values = scopes.get(scope);
    if (values === undefined) scopes.set(scope, new Map([[value, state]]));
    else values.set(value, state);
  }
}
