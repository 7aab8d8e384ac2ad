import type { LadderSeed } from "../filters/ladder.ts";
import type { HealthCheck } from "../health/health-check.ts";
import type { Probe, ProbeSettings } from "../health/probe.ts";
import type { Places } from "../limits/concurrency/places.ts";
import type { RateTables } from "../limits/rate/rate-tables.ts";
import type { MemoryBudget } from "../memory/budget.ts";
import type { Resources } from "../resources/registry.ts";
import type { Resource } from "../resources/resource.ts";
import type { Waiting } from "../resources/waiting.ts";
import type { Clock } from "../support/clock.ts";
import type { FileGuard } from "./file-guard.ts";
import type { Kept } from "./kept.ts";
import type { LadderStep } from "./ladder-step.ts";
import type { ReadFile } from "./named-files.ts";
import type { OutlineKind } from "./outline.ts";
import type { UpstreamSettings } from "./snapshot.ts";

/** How services are asked how they are. */
export interface Probing {
  readonly open: (upstream: UpstreamSettings, probe: ProbeSettings) => Probe;
  /** Health checks of the process, by upstream. */
  readonly running: Map<string, HealthCheck>;
}

/** What compilation needs of the world. */
export interface CompileInputs {
  readonly readFile: ReadFile;
  /** Undefined: nobody asks who else may read or write the files. */
  readonly guard?: FileGuard | undefined;
  readonly clock: Clock;
  /**
   * Whether a file with this content is in force already, so that what has merely aged in it costs a warning and not
   * the policy. Undefined: nothing is.
   */
  readonly isInForce?: ((content: Buffer) => boolean) | undefined;
  /** Where rate limits count; they outlive the snapshot. */
  readonly rateTables: RateTables;
  /** What limits have that hold requests; without it, they hold none. */
  readonly places?: Places;
  /** What compilations before this one made, to be used again; without it everything is made anew. */
  readonly kept?: Kept;
  /** What outlives policies; without it, what a policy asks for is made anew and never started. */
  readonly resources?: Resources;
  /** Of the same policy without `steps`: what it has is asked for first. */
  readonly beside?: ReadonlyMap<string, Resource> | undefined;
  /** What stands on another step of its ladder than the policy says; nothing if absent. */
  readonly steps?: readonly LadderStep[] | undefined;
  /** Asks services how they are; without it, nobody does. */
  readonly probing?: Probing;
  /** Where requests wait for what somebody else says. */
  readonly waiting?: Waiting;
  /** Of the process: which callers are in a share of the ladder, where the policy says nothing. Nobody's if absent. */
  readonly ladderSeed?: LadderSeed;
  /** Variables that secrets and the corporate proxy come from. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What requests may hold of the process; without it, whatever they like, as nobody is served. */
  readonly memory?: MemoryBudget;
  /** The folder that a relative name of the policy starts from; the process's own if absent. */
  readonly cwd?: string;
  /** What is kept of the text, to tell the policy from another; nothing if absent. */
  readonly outline?: OutlineKind;
  /** Files that are not there are no problems: they are listed, all else is looked at, and there is no snapshot. */
  readonly offline?: boolean;
  /** Where somebody wants to know all that looks like a mistake, also what takes long to find; by `audit` also what is open. */
  readonly lint?: "all" | "audit" | undefined;
  /** Somebody makes requests of the policy, and is told what its routes take. */
  readonly describes?: boolean;
  /** Where requests are served meanwhile: how long compilation may hold them up at a stretch. */
  readonly sliceMs?: number;
}
