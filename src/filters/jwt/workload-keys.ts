import type { Resource, ResourceState, ResourceStatus, ResourceWorld } from "../../resources/resource.ts";
import { readJwtBundles } from "../../spiffe/bundle-map.ts";
import { WorkloadFollower } from "../../spiffe/workload-follower.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { atOnce, Turns } from "../../support/turns.ts";
import { KeyRing } from "./key-ring.ts";
import type { KeySource } from "./key-source.ts";
import { readPublishedKeys } from "./keys.ts";

export interface WorkloadKeysSettings {
  /** Of the agent's Unix socket. */
  readonly socketPath: string;
  readonly trustDomain: string;
  readonly algorithms: ReadonlySet<string>;
}

/**
 * Keys of a trust domain's JWT-SVIDs, from a SPIFFE agent (Workload API, FetchJWTBundles), which sends each change by itself.
 * While it is away, what came last serves for a bounded time; a bundle without a usable key changes nothing, and an answer
 * without the trust domain takes its keys back, for it is no longer federated.
 */
export class WorkloadKeys implements Resource, KeySource {
  readonly kind = "SPIFFE JWT bundle";
  readonly name: string;
  ring: KeyRing | null = null;
  readonly #settings: WorkloadKeysSettings;
  readonly #world: ResourceWorld;
  readonly #follower: WorkloadFollower;
  #leftOut: readonly string[] = [];
  #unknownKids = 0;
  #staleUntilMs: number | null = null;
  /** The first answer, or what came in its place. */
  readonly #first: Promise<void>;
  #haveFirst = (): void => {};
  #isRunning = false;
  #cancelEnd = (): void => {};

  constructor(settings: WorkloadKeysSettings, world: ResourceWorld) {
    this.name = settings.trustDomain;
    this.#settings = settings;
    this.#world = world;
    this.#first = new Promise((resolve) => {
      this.#haveFirst = resolve;
    });
    const listener = { onMessage: (message: Buffer) => this.#take(message), onChange: () => this.#changed() };
    this.#follower = new WorkloadFollower(settings.socketPath, "FetchJWTBundles", world, listener);
  }

  get isInDoubt(): boolean {
    return !this.#follower.isCurrent;
  }

  /** The agent sends what is new without being asked: it is here, or the agent is away and nobody knows. */
  get asOfMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  get askableInMs(): number {
    return 0;
  }

  get words(): string {
    const { isCurrent, fault } = this.#follower;
    const size = this.ring === null ? "no keys" : `${this.ring.size} keys`;
    return isCurrent ? size : `${size}: ${fault?.text ?? "the first answer of the agent is under way"}`;
  }

  status(): ResourceStatus {
    const { fault, freshAtMs, tries } = this.#follower;
    return {
      kind: this.kind,
      name: this.name,
      state: this.#state(),
      detail: this.ring === null ? null : `${this.ring.size} ${this.ring.size === 1 ? "key" : "keys"}`,
      freshAtMs,
      staleUntilMs: this.#staleUntilMs,
      fault,
      tries: { ...tries },
      leftOut: this.#leftOut,
      unknownKids: this.#unknownKids,
    };
  }

  start(): void {
    this.#isRunning = true;
    this.#follower.start();
  }

  close(): void {
    this.#isRunning = false;
    this.#cancelEnd();
    this.#follower.close();
    this.#haveFirst();
  }

  /** The agent sends what is new without being asked; only its first answer is worth waiting for. */
  newer(seen: KeyRing | null): Promise<void> | null {
    if (this.ring !== seen) return Promise.resolve();
    return this.#isRunning && this.#state() === "starting" ? this.#first : null;
  }

  noteUnknownKid(): void {
    this.#unknownKids++;
  }

  tryOnce(): Promise<Result<string, string>> {
    return this.#follower.tryOnce((message) => {
      const document = this.#documentOf(message);
      if (!document.ok) return document;
      if (document.value === null) return err(`no JWT bundle of ${this.name}`);
      const read = atOnce(readPublishedKeys(document.value, this.#settings.algorithms));
      return read.ok ? ok(`${read.value.keys.length} keys of ${this.name}`) : read;
    });
  }

  async #take(message: Buffer): Promise<Result<boolean, string>> {
    const document = this.#documentOf(message);
    if (!document.ok) return document;
    const turns = new Turns(this.#world.clock, DEFAULTS.compileSliceMs);
    const read =
      document.value === null
        ? ok({ keys: [], leftOut: [`the agent has no JWT bundle of ${this.name}`] })
        : await turns.run(readPublishedKeys(document.value, this.#settings.algorithms));
    if (!read.ok) return err(`the JWT bundle of ${this.name} has ${read.error}`);
    const before = this.ring;
    this.ring = this.ring?.renewed(read.value.keys) ?? new KeyRing(read.value.keys);
    this.#leftOut = read.value.leftOut.slice(0, DEFAULTS.keySetFaultsKept);
    this.#staleUntilMs = null;
    this.#cancelEnd();
    return ok(this.ring !== before);
  }

  #documentOf(message: Buffer): Result<Buffer | null, string> {
    const bundles = readJwtBundles(message);
    return bundles.ok ? ok(bundles.value.get(this.#settings.trustDomain) ?? null) : bundles;
  }

  #changed(): void {
    if (!this.#follower.isCurrent && this.ring !== null && this.#staleUntilMs === null) {
      this.#staleUntilMs = this.#world.clock.wallMs() + DEFAULTS.keySetStaleMsMax;
      this.#cancelEnd = this.#world.timers.after(DEFAULTS.keySetStaleMsMax, () => this.#expire());
    }
    this.#haveFirst();
    this.#world.changed(this);
  }

  /** Too old to be believed: a key that was taken back meanwhile would still let its thief in. */
  #expire(): void {
    this.ring = null;
    this.#world.changed(this);
  }

  #state(): ResourceState {
    if (this.#follower.isCurrent) return this.ring?.size === 0 ? "failing" : "ready";
    if (this.ring !== null) return "stale";
    return this.#follower.fault === null ? "starting" : "failing";
  }
}
