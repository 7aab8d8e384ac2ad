import { lookup } from "node:dns";
import type { Resource, ResourceFault, ResourceOutcome, ResourceStatus, ResourceWorld } from "../resources/resource.ts";
import { LIMIT_DEFAULTS } from "../support/limit-defaults.ts";
import { err, ok, type Result } from "../support/result.ts";

/** Addresses of a name, or what is wrong. */
export type Resolve = (name: string) => Promise<Result<readonly string[], string>>;

const systemResolve: Resolve = (name) =>
  new Promise((resolve) => {
    lookup(name, { all: true }, (error, found) => {
      resolve(error === null ? ok(found.map(({ address }) => address)) : err(error.code ?? error.message));
    });
  });

/**
 * How many replicas there are: the addresses that a name has, as a headless service of Kubernetes gives one for each pod. More
 * count at once, fewer only when they were seen some times in a row: an answer that lacks some must not widen a limit. While
 * nobody answers, the last count stays.
 */
export class ReplicaCount implements Resource {
  readonly kind = "replica count";
  readonly name: string;
  readonly #world: ResourceWorld;
  readonly #resolve: Resolve;
  readonly #tries: Record<ResourceOutcome, number> = { ok: 0, unchanged: 0, failed: 0, unusable: 0 };
  #count: number | null = null;
  #fewerInRow = 0;
  #freshAtMs: number | null = null;
  #fault: ResourceFault | null = null;
  #isRunning = false;
  #cancel: () => void = () => {};

  constructor(name: string, world: ResourceWorld, resolve: Resolve = systemResolve) {
    this.name = name;
    this.#world = world;
    this.#resolve = resolve;
  }

  /** Null before the first answer. */
  get count(): number | null {
    return this.#count;
  }

  status(): ResourceStatus {
    const isKnown = this.#count !== null;
    const failed = isKnown ? "stale" : "failing";
    const fresh = isKnown ? "ready" : "starting";
    return {
      kind: this.kind,
      name: this.name,
      state: this.#fault === null ? fresh : failed,
      detail: isKnown ? replicasText(this.#count ?? 0) : "each replica has the whole limit",
      freshAtMs: this.#freshAtMs,
      staleUntilMs: null,
      fault: this.#fault,
      tries: this.#tries,
    };
  }

  start(): void {
    this.#isRunning = true;
    void this.#look();
  }

  close(): void {
    this.#isRunning = false;
    this.#cancel();
  }

  async tryOnce(): Promise<Result<string, string>> {
    const found = await this.#resolve(this.name);
    return found.ok ? ok(replicasText(countOf(found.value))) : found;
  }

  async #look(): Promise<void> {
    const found = await this.#resolve(this.name);
    if (!this.#isRunning) return;
    if (!found.ok || found.value.length === 0) {
      this.#tries.failed++;
      this.#fault = { text: found.ok ? "the name has no address" : found.error, atMs: this.#world.clock.wallMs() };
    } else {
      this.#fault = null;
      this.#freshAtMs = this.#world.clock.wallMs();
      this.#take(countOf(found.value));
    }
    this.#world.changed(this);
    const spread = 0.9 + 0.2 * this.#world.random();
    this.#cancel = this.#world.timers.after(LIMIT_DEFAULTS.replicasLookMs * spread, () => void this.#look());
  }

  #take(count: number): void {
    const isFewer = this.#count !== null && count < this.#count;
    this.#fewerInRow = isFewer ? this.#fewerInRow + 1 : 0;
    if (count === this.#count || (isFewer && this.#fewerInRow < LIMIT_DEFAULTS.replicasFewerSeen)) {
      this.#tries.unchanged++;
      return;
    }
    this.#tries.ok++;
    this.#fewerInRow = 0;
    this.#count = count;
    this.#world.recompile();
  }
}

/** A name may give an address twice. */
function countOf(addresses: readonly string[]): number {
  return Math.min(new Set(addresses).size, LIMIT_DEFAULTS.replicasMax);
}

function replicasText(count: number): string {
  return `${count} replica${count === 1 ? "" : "s"}`;
}
