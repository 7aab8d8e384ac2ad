import { KeptBook } from "../resources/kept-book.ts";
import type { Resource, ResourceStatus, ResourceWorld } from "../resources/resource.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { ok, type Result } from "../support/result.ts";
import { atOnce, Turns } from "../support/turns.ts";
import type { CallerRoom, Sight } from "./operation-use.ts";
import type { TreeRoom } from "./path-tree.ts";
import { Probed } from "./probed.ts";
import { keyOfRoute, methodName, type RouteId, RouteUse } from "./route-use.ts";
import { segmentsOf, stepOfSegment } from "./segment-kind.ts";
import { encodeSteps, restoreSteps } from "./use-file.ts";

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
  readonly #kept: KeptBook;
  readonly #waiting: Waiting[] = [];
  #isLearningDue = false;

  /** `callersMax`: how many are remembered of one operation. */
  constructor(callersMax: number, world: ResourceWorld) {
    this.#world = world;
    this.sinceMs = world.clock.wallMs();
    this.#callers = { each: callersMax, left: DEFAULTS.inventoryAllCallersMax };
    this.#kept = new KeptBook(
      {
        kind: { name: "inventory", version: 1 },
        id: "inventory",
        writeMs: DEFAULTS.inventoryWriteMs,
        restore: (content) => this.#restore(content),
        encode: (isLast) => this.#encode(isLast),
      },
      world,
    );
  }

  /** Settled when nothing is under way with the folder. */
  get settled(): Promise<void> {
    return this.#kept.settled;
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
    this.#kept.changed();
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
    return { kind: this.kind, name: this.name, ...this.#kept.status };
  }

  start(): void {
    this.#kept.start();
  }

  close(): void {
    this.#kept.close();
  }

  forget(): void {
    for (const route of this.#routes.values()) route.release();
    this.#routes.clear();
    this.probed.clear();
  }

  tryOnce(): Promise<Result<string, string>> {
    return Promise.resolve(ok(this.#kept.whereabouts("the inventory is")));
  }

  /** For long work on what is here: others get their turn in between. */
  turns(): Turns {
    return new Turns(this.#world.clock, DEFAULTS.inventorySliceMs);
  }

  async #restore(content: Buffer): Promise<boolean> {
    const into = { route: (id: RouteId) => this.route(id), probed: this.probed };
    const sinceMs = await this.turns().run(restoreSteps(content, into));
    if (sinceMs !== null) this.sinceMs = Math.min(this.sinceMs, sinceMs);
    return sinceMs !== null;
  }

  #encode(isLast: boolean): Buffer | Promise<Buffer> {
    this.learn();
    const steps = encodeSteps(this.sinceMs, [...this.#routes.values()], [...this.probed.all()]);
    return isLast ? atOnce(steps) : this.turns().run(steps);
  }
}
