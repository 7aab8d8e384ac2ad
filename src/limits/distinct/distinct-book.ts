import { Charge } from "../../memory/account.ts";
import { NOBODY } from "../../memory/budget.ts";
import type { Resource, ResourceStatus, ResourceWorld } from "../../resources/resource.ts";
import { ok, type Result } from "../../support/result.ts";
import { DistinctSets, type DistinctSettings } from "./distinct-sets.ts";

/**
 * What all guards of a policy have counted. A guard that the next policy has as well goes on with what it knows; when nobody
 * holds it any more, its memory goes.
 */
export class DistinctBook implements Resource {
  readonly kind = "distinct members";
  readonly name = "distinct";
  readonly #world: ResourceWorld;
  readonly #seed: readonly [number, number];
  readonly #shares = new Map<string, WeakRef<DistinctSets>>();
  readonly #gone = new FinalizationRegistry<Charge>((charge) => charge.release());

  constructor(world: ResourceWorld) {
    this.#world = world;
    this.#seed = [Math.floor(world.random() * 2 ** 32), Math.floor(world.random() * 2 ** 32)];
  }

  /** The sets of whatever `identity` names; with what they hold. */
  share(identity: string, settings: DistinctSettings): DistinctSets {
    const name = JSON.stringify([identity, settings.windowMs, settings.bytesMax]);
    const kept = this.#shares.get(name)?.deref();
    if (kept !== undefined) return kept;
    for (const [other, share] of this.#shares) if (share.deref() === undefined) this.#shares.delete(other);
    const charge = new Charge(this.#world.memory.tables, NOBODY);
    // The policy asks for it, and bounds it; it is not refused here.
    const made = new DistinctSets(settings, this.#seed, (bytes) => void charge.holdUnasked(bytes));
    this.#shares.set(name, new WeakRef(made));
    this.#gone.register(made, charge);
    return made;
  }

  status(): ResourceStatus {
    let keys = 0;
    for (const share of this.#shares.values()) keys += share.deref()?.size ?? 0;
    return {
      kind: this.kind,
      name: this.name,
      state: "ready",
      detail: `${keys} keys in memory`,
      freshAtMs: null,
      staleUntilMs: null,
      fault: null,
      tries: { ok: 0, unchanged: 0, failed: 0, unusable: 0 },
    };
  }

  start(): void {
    // All of it is in memory, and there from the beginning.
  }

  forget(): void {
    for (const share of this.#shares.values()) share.deref()?.clear();
  }

  close(): void {
    this.#shares.clear();
  }

  tryOnce(): Promise<Result<string, string>> {
    return Promise.resolve(ok("members are counted in memory"));
  }
}
