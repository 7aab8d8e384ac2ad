import type { CallProxy } from "../calls/call.ts";
import type { LintRule } from "../decision/lint-rule.ts";
import type { Place } from "../decision/verdict.ts";
import type { MemoryBudget } from "../memory/budget.ts";
import type { Geo } from "../message/geo.ts";
import type { SchemaLibrary } from "../openapi/description.ts";
import type { SchemaReference } from "../openapi/operation.ts";
import type { Resource, ResourceWorld } from "../resources/resource.ts";
import type { Waiting } from "../resources/waiting.ts";
import type { Clock } from "../support/clock.ts";
import type { SecretReference } from "../support/secret.ts";
import type { Steps } from "../support/turns.ts";
import type { LadderSeed } from "./ladder.ts";

/** A schema where it stands, and who compiles it. */
export interface DescribedSchema {
  readonly library: SchemaLibrary;
  readonly reference: SchemaReference;
}

/** What every compile step may use: the policy's places, its files, the world outside. */
export interface CompileContext {
  readonly service: string;
  /** Where clients learn who gives tokens for the service (RFC 9728), without quotes in it; null where the policy has none. */
  readonly resourceMetadataUrl: string | null;
  readonly clock: Clock;
  /** Whether an authenticator of the policy reads credentials there; `name` in lower case. Known once all are compiled. */
  isCredentialHeader(name: string): boolean;
  /** Of the process; it outlives the policy. */
  readonly memory: MemoryBudget;
  /** For what is enforced for a share of those that it is about. */
  readonly ladderSeed: LadderSeed;
  /** The place of a key inside the settings that are being compiled; no argument: of the settings themselves. */
  place(...path: readonly (string | number)[]): Place;
  /** A text of the policy as denials may show it: without what came from elsewhere. */
  shown(text: string): string;
  /** The same with an `x` for each character that came from elsewhere, which is text whatever it looks like. */
  ownText(text: string): string;
  /** Reports what is wrong at a place and what is expected; compilation goes on to find the rest. */
  problem(text: string, ...path: readonly (string | number)[]): void;
  /** The same at the `offset`th character of the text that stands there. */
  problemWithin(offset: number, text: string, ...path: readonly (string | number)[]): void;
  /** The same for a place in a file that the policy names, as a line of keys.yaml. */
  problemAt(place: Place, text: string): void;
  /** Reports what is allowed but looks like a mistake, or costs less than the whole. */
  warning(rule: LintRule, text: string, ...path: readonly (string | number)[]): void;
  /** The same for a place in a file that the policy names. */
  warningAt(rule: LintRule, place: Place, text: string): void;
  /**
   * Content of a file that the policy names (relative to the policy's folder); the file is then watched. Reports a
   * problem at `path` and returns null where it cannot be read.
   */
  readFile(name: string, ...path: readonly (string | number)[]): Buffer | null;
  /** The same for a list of addresses or a database, which may have more bytes. */
  readLargeFile(name: string, ...path: readonly (string | number)[]): Buffer | null;
  /** Names of the files in a folder that the policy names, each as `readFile` takes it; the folder is then watched. */
  readFolder(name: string, ...path: readonly (string | number)[]): readonly string[] | null;
  /**
   * What `make` makes of `inputs` and of nothing else, or what it made of the same inputs for the policy before: a
   * certificate that is renewed does not read 20,000 keys again. `kind` says what it is. Null is not kept.
   */
  keep<T>(kind: string, inputs: readonly (string | Buffer)[], make: () => Steps<T | null>): Steps<T | null>;
  /**
   * A resource made of `settings` and of nothing else, or the one that runs already and was made of the same. It is started
   * when the policy comes into force, not before.
   */
  resource<T extends Resource>(
    kind: string,
    settings: readonly (string | Buffer)[],
    make: (world: ResourceWorld) => T,
  ): T;
  /** What it is compiled from besides files, under a name of its own: another content makes the policy another. */
  include(name: string, content: string): void;
  /** A schema of an API's description that the policy is made from, by file and JSON Pointer; null where there is none. */
  described(file: string, pointer: string): DescribedSchema | null;
  /** What is known of where addresses are; null where the policy has no `geo`. */
  readonly geo: Geo | null;
  /** The policy names a folder for what survives a restart. */
  readonly hasState: boolean;
  /** The policy is only looked at, as by check: resources never start, and nothing is left for later. */
  readonly isOnlyLookedAt: boolean;
  /** Where requests wait for what somebody else says. Of the process. */
  readonly waiting: Waiting;
  /** The corporate proxy that the environment names, for calls out. */
  readonly proxy: CallProxy | null;
  /**
   * The secret that a setting refers to, without line ends at its end; a file is watched. Reports a problem at `path` and
   * returns null where it is not there or empty.
   */
  secret(reference: SecretReference, ...path: readonly (string | number)[]): Buffer | null;
}
