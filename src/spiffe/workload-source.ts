import { hash } from "node:crypto";
import type { Resource, ResourceStatus, ResourceWorld } from "../resources/resource.ts";
import { ok, type Result } from "../support/result.ts";
import { WorkloadFollower } from "./workload-follower.ts";
import { readIdentity, type WorkloadIdentity } from "./x509-svid.ts";

export interface WorkloadSettings {
  /** Of the agent's Unix socket. */
  readonly socketPath: string;
  /** Which of several identities; null for the first. */
  readonly spiffeId: string | null;
}

/** What a policy is compiled from: the newest identity that the agent gave. */
export interface WorkloadMaterial {
  readonly identity: WorkloadIdentity;
  /** Changes with any of it. */
  readonly version: string;
}

/**
 * The process's identity from a SPIFFE agent, and the bundles that come with it. What came last serves while the agent is away,
 * until it expires. An answer that cannot be used replaces nothing.
 */
export class WorkloadSource implements Resource {
  readonly kind = "SPIFFE workload";
  readonly name: string;
  readonly #settings: WorkloadSettings;
  readonly #world: ResourceWorld;
  readonly #follower: WorkloadFollower;
  #material: WorkloadMaterial | null = null;

  constructor(settings: WorkloadSettings, world: ResourceWorld) {
    this.name = settings.spiffeId ?? `unix:${settings.socketPath}`;
    this.#settings = settings;
    this.#world = world;
    const listener = {
      onMessage: (message: Buffer) => this.#take(message),
      onChange: () => world.changed(this),
    };
    this.#follower = new WorkloadFollower(settings.socketPath, "FetchX509SVID", world, listener);
  }

  /** Null until the agent has given one. */
  get material(): WorkloadMaterial | null {
    return this.#material;
  }

  status(): ResourceStatus {
    const { isCurrent, fault, freshAtMs, tries } = this.#follower;
    const endMs = this.#material?.identity.chain[0]?.validToDate.getTime() ?? null;
    const isEnded = endMs !== null && endMs < this.#world.clock.wallMs();
    const kept = isEnded ? "failing" : "stale";
    const state = isCurrent ? "ready" : endMs !== null ? kept : fault === null ? "starting" : "failing";
    return {
      kind: this.kind,
      name: this.name,
      state,
      detail: state === "stale" ? "the agent is away, the last identity serves" : null,
      freshAtMs,
      staleUntilMs: endMs,
      fault,
      tries: { ...tries },
      gatesReadiness: true,
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
      const read = readIdentity(message, this.#settings.spiffeId);
      return read.ok ? ok(`${read.value.spiffeId}, ${read.value.bundles.size} trust domains`) : read;
    });
  }

  #take(message: Buffer): Result<boolean, string> {
    const read = readIdentity(message, this.#settings.spiffeId);
    if (!read.ok) return read;
    const version = hash("sha256", message);
    const isNew = this.#material?.version !== version;
    this.#material = { identity: read.value, version };
    if (isNew) this.#world.recompile();
    return ok(isNew);
  }
}
