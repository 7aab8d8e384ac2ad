import type { Place } from "../../decision/verdict.ts";
import type { Concealed } from "../concealed.ts";
import type { Expectation } from "./expect-section.ts";
import type { TestAnswer, TestIdentity, TestRequest } from "./request-section.ts";

/** One test, with counters of its own. */
export interface PolicyTest {
  readonly name: string;
  readonly place: Place;
  /** It may fail. */
  readonly isTodo: boolean;
  /** Unix milliseconds; null for now. */
  readonly atMs: number | null;
  readonly steps: readonly TestStep[];
  /** What must not be shown of it. */
  readonly concealed: Concealed;
}

export interface TestStep {
  readonly afterMs: number;
  readonly times: number;
  readonly request: TestRequest;
  readonly as: TestIdentity;
  /** Null where none is given. */
  readonly answer: TestAnswer | null;
  readonly expect: Expectation;
}
