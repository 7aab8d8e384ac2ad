import type { KeyRing } from "./key-ring.ts";

/** Where the keys of an authenticator come from: from files that the policy names, or from whoever publishes them. */
export interface KeySource {
  /** The keys that count now; null while there are none. Another object as soon as one of them is another. */
  readonly ring: KeyRing | null;
  /** What was asked last could not be answered, so that a key which nobody knows may be a good one. */
  readonly isInDoubt: boolean;
  /** Of what was answered last, Unix ms: a key that nobody knows is at best one that was made after that. Infinity: none can be. */
  readonly asOfMs: number;
  /** How long it is until tokens may have it asked again, at least 0. */
  readonly askableInMs: number;
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
  return {
    ring,
    isInDoubt: false,
    asOfMs: Number.POSITIVE_INFINITY,
    askableInMs: 0,
    words: `${ring.size} keys`,
    newer: () => null,
    noteUnknownKid: () => {},
  };
}
