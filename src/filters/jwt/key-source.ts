import type { KeyRing } from "./key-ring.ts";

/** Where the keys of an authenticator come from: from files that the policy names, or from whoever publishes them. */
export interface KeySource {
  /** The keys that count now; null while there are none. Another object as soon as one of them is another. */
  readonly ring: KeyRing | null;
  /** What was asked last could not be answered, so that a key which nobody knows may be a good one. */
  readonly isInDoubt: boolean;
  /** How the keys are, for the log. */
  readonly words: string;
  /**
   * The end of a try to have others than `seen`, which never fails; null where none is under way and none may begin now.
   */
  newer(seen: KeyRing | null): Promise<void> | null;
  /** A token named a key that is not there. */
  noteUnknownKid(): void;
}

/** Keys that change with the policy alone. */
export function fixedKeys(ring: KeyRing): KeySource {
  return { ring, isInDoubt: false, words: `${ring.size} keys`, newer: () => null, noteUnknownKid: () => {} };
}
