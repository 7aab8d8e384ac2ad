import { Places } from "../limits/concurrency/places.ts";
import { RateTables } from "../limits/rate/rate-tables.ts";
import { type MemoryBudget, unlimitedMemory } from "../memory/budget.ts";
import { type Examination, examinePolicy } from "../policy/compile.ts";
import type { Concealed } from "../policy/concealed.ts";
import type { DescribedPolicy } from "../policy/described-routes.ts";
import { Kept } from "../policy/kept.ts";
import type { ReadFile } from "../policy/named-files.ts";
import { noResources } from "../policy/no-resources.ts";
import type { OutlineKind } from "../policy/outline.ts";
import type { Problem, Snapshot } from "../policy/snapshot.ts";
import type { PolicyTest } from "../policy/tests/policy-test.ts";
import type { Clock } from "../support/clock.ts";
import { err, ok, type Result } from "../support/result.ts";
import { TestTime } from "./test-time.ts";

export interface TestWorldInputs {
  /** How many keys a limit may count; few if absent, for a test has few callers. */
  readonly keysMax?: number;
  readonly readFile: ReadFile;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly sliceMs?: number;
  /** What is kept of the text, to tell the policy from another; nothing if absent. */
  readonly outline?: OutlineKind;
  /** Of the process that serves: what was made for it and never changes is not made once more. */
  readonly kept?: Kept;
  /** Somebody makes requests of the policy. */
  readonly describes?: boolean;
}

/** Keys that a limit counts in a test. */
const KEYS_MAX = 64;

/**
 * The policy compiled for its tests alone: what it counts, its clock and what it depends on elsewhere have nothing to do with
 * the process that serves. Nobody elsewhere is asked.
 */
export class TestWorld {
  readonly snapshot: Snapshot;
  /** Of the policy's section `tests`. */
  readonly tests: readonly PolicyTest[];
  /** Absolute names of the policy's included files. */
  readonly included: readonly string[];
  /** Null where nobody makes requests of it. */
  readonly described: DescribedPolicy | null;
  /** What must not be shown of it. */
  readonly concealed: Concealed;
  readonly time: TestTime;
  readonly memory: MemoryBudget;
  readonly #rateTables: RateTables;
  readonly #kept: Kept;

  constructor(
    { snapshot, tests, included, described, concealed }: Compiled,
    time: TestTime,
    memory: MemoryBudget,
    counted: { readonly rateTables: RateTables; readonly kept: Kept },
  ) {
    this.snapshot = snapshot;
    this.tests = tests;
    this.included = included;
    this.described = described;
    this.concealed = concealed;
    this.time = time;
    this.memory = memory;
    this.#rateTables = counted.rateTables;
    this.#kept = counted.kept;
  }

  /** A test begins: nothing was counted so far. */
  begin(wallMs: number): void {
    this.#rateTables.forget();
    this.#kept.forget();
    for (const resource of this.snapshot.resources.values()) resource.forget?.();
    this.time.begin(wallMs);
  }

  close(): void {
    for (const resource of this.snapshot.resources.values()) resource.close();
  }
}

interface Compiled extends Pick<Examination, "tests" | "included" | "described" | "concealed"> {
  readonly snapshot: Snapshot;
}

/** `file` as its user wrote it. */
export async function openTestWorld(
  file: string,
  { clock, kept: others, ...inputs }: TestWorldInputs,
): Promise<Result<TestWorld, readonly Problem[]>> {
  const time = new TestTime(clock);
  const rateTables = new RateTables([1, 2], time, inputs.keysMax ?? KEYS_MAX);
  const memory = unlimitedMemory();
  // Of its own: tables that count go by the clock that they were made with.
  const kept = new Kept(others);
  const { snapshot, problems, tests, included, described, concealed } = await examinePolicy(file, {
    ...inputs,
    clock: time,
    isInForce: () => true,
    rateTables,
    kept,
    // Who waits for a turn waits in the time of the test.
    places: new Places({ clock: time, timers: time, random: () => 0.5, memory }),
    memory,
    resources: noResources(time, memory),
  });
  return snapshot === null
    ? err(problems)
    : ok(new TestWorld({ snapshot, tests, included, described, concealed }, time, memory, { rateTables, kept }));
}
