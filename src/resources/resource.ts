import type { Caller, CallSettings } from "../calls/call.ts";
import type { MemoryBudget } from "../memory/budget.ts";
import type { Clock } from "../support/clock.ts";
import type { Result } from "../support/result.ts";
import type { Timers } from "../support/timers.ts";
import type { AdminRoom } from "./admin-room.ts";
import type { StateFiles, StateFolder } from "./state-folder.ts";

/** Closed, for it is a metric label. */
export const RESOURCE_STATES = [
  "starting", // it has not been tried yet, or its first try is under way
  "ready",
  "stale", // what it had still serves, and could not be renewed
  "failing", // it has nothing that serves
] as const;

export type ResourceState = (typeof RESOURCE_STATES)[number];

/** What became of one try; closed, for it is a metric label. */
export const RESOURCE_OUTCOMES = ["ok", "unchanged", "failed", "unusable"] as const;

export type ResourceOutcome = (typeof RESOURCE_OUTCOMES)[number];

/** What became of a span that was recorded; closed, for it is a metric label. */
export const SPAN_OUTCOMES = [
  "exported",
  "queue_full", // too many waited to be sent
  "given_up", // the collector could not be reached, or had no time, too often
  "rejected", // it does not want them
] as const;

/** How a resource is, without anything secret. */
export interface ResourceStatus {
  /** As in `key set`. */
  readonly kind: string;
  /** Of the entry of the policy that named it first. */
  readonly name: string;
  readonly state: ResourceState;
  /** The state in the words of its kind, as in `refresh failed, keys retained`; null where there is no more to say. */
  readonly detail: string | null;
  /** Unix milliseconds of what it serves from; null where it has nothing. */
  readonly freshAtMs: number | null;
  /** Until when what it has serves, though it cannot be renewed; null where that has no end. */
  readonly staleUntilMs: number | null;
  readonly fault: ResourceFault | null;
  readonly tries: Readonly<Record<ResourceOutcome, number>>;
  /** What of its content cannot be used, in words; bounded. */
  readonly leftOut?: readonly string[];
  /** Of a key set: tokens that named a key which it does not have. */
  readonly unknownKids?: number;
  /** Of a limit store: requests by how was known whether they are over. Its keys are a closed list, for they are labels. */
  readonly storeRequests?: Readonly<Record<string, number>>;
  /** Of a collector: spans by what became of them. */
  readonly spans?: Readonly<Record<(typeof SPAN_OUTCOMES)[number], number>>;
  /** Of an audit log: the number of its newest line, and lines that had no room. */
  readonly audit?: { readonly lines: number; readonly dropped: number };
  /** True where the process is not ready before it has something, as a certificate. */
  readonly gatesReadiness?: boolean;
}

/** The last failure. */
export interface ResourceFault {
  readonly text: string;
  readonly atMs: number;
}

/**
 * What outlives a policy: a set of keys from somewhere, a store, a connection to somebody. A policy that is being compiled
 * acquires it without the network being touched; the first policy in force that has it starts it; it is closed when none has
 * it any more, and goes on answering from what it knows those who still hold it.
 */
export interface Resource {
  readonly kind: string;
  readonly name: string;
  /** At the admin port; absent where it has nothing to show there beyond its status. */
  readonly room?: AdminRoom;
  status(): ResourceStatus;
  start(): void;
  close(): void;
  /** Nothing was counted or seen so far: each test of a policy begins so. Absent where it counts nothing. */
  forget?(): void;
  /** Tries it once for `check --online`: what there is, or what is wrong. */
  tryOnce(): Promise<Result<string, string>>;
}

/** What resources are made of; effects come in here. */
export interface ResourceWorld {
  readonly clock: Clock;
  readonly timers: Timers;
  /** 0 to 1. */
  readonly random: () => number;
  readonly memory: MemoryBudget;
  /** What the process holds, as the system sees it. */
  readonly residentBytes: () => number;
  readonly openCaller: (settings: CallSettings) => Caller;
  /** Null where the policy names none: everything is kept in memory alone. */
  readonly folder: StateFolder | null;
  /** Files of any folder: for what belongs there by its own name. */
  readonly openFiles: (directory: string) => StateFiles;
  /** A file as it is now, by its absolute name: a token that somebody renews. */
  readonly readFile: (absolute: string) => Result<Buffer, string>;
  /** To be called when `status` has changed. */
  readonly changed: (resource: Resource) => void;
  /** Tells the log what is to be known once. */
  readonly note: (resource: Resource, text: string) => void;
  /** To be called when a policy that has it would compile to another now, as with a renewed certificate. */
  readonly recompile: () => void;
}
