import type { Resource, ResourceStatus, ResourceWorld } from "../resources/resource.ts";
import type { StateFolder } from "../resources/state-folder.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { ok, type Result } from "../support/result.ts";
import { atOnce, Turns } from "../support/turns.ts";
import type { CallerRoom, Sight } from "./operation-use.ts";
import type { TreeRoom } from "./path-tree.ts";
import { Probed } from "./probed.ts";
import { keyOfRoute, methodName, type RouteId, RouteUse } from "./route-use.ts";
import { segmentsOf, stepOfSegment } from "./segment-kind.ts";
import { encodeSteps, restoreSteps } from "./use-file.ts";

const KIND = { name: "inventory", version: 1 } as const;
const ID = "inventory";

/** A request of which the path is to be learnt. */
interface Waiting {
  readonly route: RouteUse;
  readonly path: string;
  readonly sight: Sight;
}

/**
 * What the API was seen to be, over reloads and, with a folder, over restarts. Requests never wait for it: of a route with one
 * place they are counted, of others their paths wait in a short line and are learnt together a moment later.
 */
export class InventoryBook implements Resource {
  readonly kind = "inventory";
  readonly name = "inventory";
  readonly probed: Probed = new Probed();
  /** Unix milliseconds since when it counts. */
  sinceMs: number;
  readonly #world: ResourceWorld;
  readonly #routes = new Map<string, RouteUse>();
  readonly #trees: TreeRoom = { operations: DEFAULTS.inventoryLearntMax, nodes: DEFAULTS.inventoryNodesMax };
  readonly #callers: CallerRoom;
  readonly #tries = { ok: 0, unchanged: 0, failed: 0, unusable: 0 };
  readonly #waiting: Waiting[] = [];
  #isLearningDue = false;
  /** The folder was read, and is written from now on. */
  #isKept = false;
  #isDirty = false;
  #cancel: (() => void) | null = null;
  #writtenAtMs: number | null = null;
  /** Settled when nothing is under way with the folder. */
  settled: Promise<void> = Promise.resolve();

  /** `callersMax`: how many are remembered of one operation. */
  constructor(callersMax: number, world: ResourceWorld) {
    this.#world = world;
    this.sinceMs = world.clock.wallMs();
    this.#callers = { each: callersMax, left: DEFAULTS.inventoryAllCallersMax };
  }

  /** Of a route; should there be too many, those go that no policy has asked for in a long time. */
  route(id: RouteId): RouteUse {
    const key = keyOfRoute(id);
    const known = this.#routes.get(key);
    const use = known ?? new RouteUse(id, this.#trees, this.#callers);
    if (known !== undefined) this.#routes.delete(key);
    this.#routes.set(key, use);
    if (this.#routes.size > DEFAULTS.inventoryRoutesMax) {
      for (const [oldest, gone] of this.#routes) {
        gone.release();
        this.#routes.delete(oldest);
        break;
      }
    }
    return use;
  }

  find(id: RouteId): RouteUse | null {
    return this.#routes.get(keyOfRoute(id)) ?? null;
  }

  changed(): void {
    this.#isDirty = true;
    if (!this.#isKept || this.#cancel !== null) return;
    this.#cancel = this.#world.timers.after(DEFAULTS.inventoryWriteMs, () => {
      this.#cancel = null;
      this.#write(false);
    });
  }

  /** A request of a route with `**`, or of none. */
  learnLater(route: RouteUse, path: string, sight: Sight): void {
    if (this.#waiting.length >= DEFAULTS.inventoryWaitingMax) {
      route.unlearnt++;
      return;
    }
    this.#waiting.push({ route, path, sight });
    if (this.#isLearningDue) return;
    this.#isLearningDue = true;
    this.#world.timers.after(DEFAULTS.inventoryLearnMs, () => this.learn());
  }

  /** What waits is learnt now. */
  learn(): void {
    this.#isLearningDue = false;
    for (const { route, path, sight } of this.#waiting.splice(0)) this.#learnOne(route, path, sight);
  }

  #learnOne(route: RouteUse, path: string, seen: Sight): void {
    const segments = segmentsOf(path, route.skipped + DEFAULTS.inventoryStepsMax);
    const method = methodName(seen.method);
    const sight = method === seen.method ? seen : { ...seen, method };
    const known = route.tree.find(segments, route.skipped + 1, method);
    if (known !== null) {
      known.note(sight);
      return;
    }
    const steps = segments.slice(route.skipped + 1).map(stepOfSegment);
    if (sight.outcome === "confirmed") {
      const use = route.tree.learn(steps, method);
      if (use === null) {
        route.unlearnt++;
        return;
      }
      const before = this.probed.take(route.id, steps, method);
      if (before !== null) use.join(before);
      use.note(sight);
    } else if (sight.outcome !== "answered") this.probed.note(route.id, steps, sight);
  }

  status(): ResourceStatus {
    const { folder } = this.#world;
    return {
      kind: this.kind,
      name: this.name,
      state: "ready",
      detail: folder === null ? "in memory alone, for the policy has no 'state'" : null,
      freshAtMs: this.#writtenAtMs,
      staleUntilMs: null,
      fault: null,
      tries: this.#tries,
    };
  }

  start(): void {
    const { folder } = this.#world;
    if (folder !== null) this.settled = this.#load(folder);
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#write(true);
    this.#isKept = false;
  }

  forget(): void {
    for (const route of this.#routes.values()) route.release();
    this.#routes.clear();
    this.probed.clear();
  }

  tryOnce(): Promise<Result<string, string>> {
    const { folder } = this.#world;
    return Promise.resolve(
      ok(folder === null ? "the inventory is in memory alone" : `the inventory is kept in ${folder.directory}`),
    );
  }

  /** For long work on what is here: others get their turn in between. */
  turns(): Turns {
    return new Turns(this.#world.clock, DEFAULTS.inventorySliceMs);
  }

  async #load(folder: StateFolder): Promise<void> {
    const content = await folder.read(KIND, ID);
    const into = { route: (id: RouteId) => this.route(id), probed: this.probed };
    const sinceMs = content === null ? 0 : await this.turns().run(restoreSteps(content, into));
    if (sinceMs === null) await folder.damaged(KIND, ID, "the content cannot be read");
    else if (sinceMs > 0) {
      this.sinceMs = Math.min(this.sinceMs, sinceMs);
      this.#tries.ok++;
    }
    this.#isKept = true;
    if (this.#isDirty) this.changed();
  }

  #write(isLast: boolean): void {
    const { folder, clock } = this.#world;
    if (folder === null || !this.#isKept || !this.#isDirty) return;
    this.learn();
    this.#isDirty = false;
    this.#writtenAtMs = clock.wallMs();
    const steps = encodeSteps(this.sinceMs, [...this.#routes.values()], [...this.probed.all()]);
    const content = isLast ? atOnce(steps) : this.turns().run(steps);
    this.settled = Promise.all([
      this.settled,
      Promise.resolve(content).then((bytes) => folder.write(KIND, ID, bytes)),
    ]).then(() => {});
  }
}
