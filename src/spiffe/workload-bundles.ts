import { hash } from "node:crypto";
import type { Resource, ResourceStatus, ResourceWorld } from "../resources/resource.ts";
import { ok, type Result } from "../support/result.ts";
import { WorkloadFollower } from "./workload-follower.ts";
import { readX509Bundles, type TrustBundle } from "./x509-svid.ts";

/** What a policy is compiled from: the newest bundles that the agent gave. */
export interface BundlesMaterial {
  /** By trust domain. */
  readonly bundles: ReadonlyMap<string, TrustBundle>;
  /** Changes with any of it. */
  readonly version: string;
}

/**
 * Authorities of all trust domains that a SPIFFE agent knows, for a process that shows another certificate or none
 * (Workload API, FetchX509Bundles). What came last serves while the agent is away, for authorities end by themselves.
 */
export class WorkloadBundles implements Resource {
  readonly kind = "SPIFFE bundles";
  readonly name: string;
  readonly #world: ResourceWorld;
  readonly #follower: WorkloadFollower;
  #material: BundlesMaterial | null = null;

  constructor(socketPath: string, world: ResourceWorld) {
    this.name = `unix:${socketPath}`;
    this.#world = world;
    const listener = { onMessage: (message: Buffer) => this.#take(message), onChange: () => world.changed(this) };
    this.#follower = new WorkloadFollower(socketPath, "FetchX509Bundles", world, listener);
  }

  /** Null until the agent has given some. */
  get material(): BundlesMaterial | null {
    return this.#material;
  }

  status(): ResourceStatus {
    const { isCurrent, fault, freshAtMs, tries } = this.#follower;
    const has = this.#material !== null;
    const size = this.#material?.bundles.size ?? 0;
    return {
      kind: this.kind,
      name: this.name,
      state: isCurrent ? "ready" : has ? "stale" : fault === null ? "starting" : "failing",
      detail: has ? `${size} trust ${size === 1 ? "domain" : "domains"}` : null,
      freshAtMs,
      staleUntilMs: null,
      fault,
      tries: { ...tries },
    };
  }

  start(): void {
    this.#follower.start();
  }

  close(): void {
    this.#follower.close();
  }

  tryOnce(): Promise<Result<string, string>> {
    return this.#follower.tryOnce((message) => {
      const read = readX509Bundles(message);
      return read.ok ? ok(`bundles of ${[...read.value.keys()].join(", ")}`) : read;
    });
  }

  #take(message: Buffer): Result<boolean, string> {
    const read = readX509Bundles(message);
    if (!read.ok) return read;
    const version = hash("sha256", message);
    const isNew = this.#material?.version !== version;
    this.#material = { bundles: read.value, version };
    if (isNew) this.#world.recompile();
    return ok(isNew);
  }
}
