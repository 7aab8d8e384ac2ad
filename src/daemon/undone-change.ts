import type { FileState, FileStates } from "./file-states.ts";

/** What a policy was compiled from. */
export interface Loaded {
  /** Of the policy. */
  readonly hash: string;
  readonly states: FileStates;
}

/** Of the files that it changed, so many are told. */
const TOLD_MAX = 3;

/**
 * A change of the policy that was taken back. It is refused as long as every file that it changed says what it said then: a
 * certificate that is renewed meanwhile must not bring it in force again.
 */
export class UndoneChange {
  readonly #hash: string;
  readonly #changed: ReadonlyMap<string, FileState>;
  readonly #at: string;

  /** `at`: when it was taken back, ISO 8601. */
  constructor(undone: Loaded, before: Loaded, at: string) {
    this.#hash = undone.hash;
    this.#changed = new Map([...undone.states].filter(([name, state]) => before.states.get(name) !== state));
    this.#at = at;
  }

  /** Why a policy that was read now is refused; null where it is another. */
  refusal({ hash, states }: Loaded): string | null {
    const names = [...this.#changed.keys()];
    const stands = ([name, state]: readonly [string, FileState]): boolean => states.get(name) === state;
    const isSame = names.length === 0 ? hash === this.#hash : [...this.#changed].every(stands);
    if (!isSame) return null;
    const told = names.length === 0 ? "the policy" : names.slice(0, TOLD_MAX).join(", ");
    const more = names.length > TOLD_MAX ? ` or one of ${names.length - TOLD_MAX} more files` : "";
    return `this change was taken back at ${this.#at}; it is refused until ${told}${more} says something else`;
  }
}
