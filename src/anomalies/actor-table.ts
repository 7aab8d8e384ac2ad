import { DEFAULTS } from "../support/defaults.ts";
import type { Actor, ObjectsUse } from "./actor.ts";
import type { OperationWatch } from "./operation-watch.ts";

const CHANCES = 8;

/**
 * Actors in bounded memory, in two rooms. Fresh ones push each other out, those first that did nothing of note; who has come for
 * an hour moves to the established, and there only who has been away for a day makes room. So a flood of invented addresses
 * meets its own kind alone.
 */
export class ActorTable<Key> {
  readonly established: Map<Key, Actor> = new Map();
  readonly #fresh = new Map<Key, Actor>();
  /** Operations of actors of which objects are counted: what an actor that asks for objects costs most. */
  objects = 0;

  get size(): number {
    return this.established.size + this.#fresh.size;
  }

  find(key: Key): Actor | undefined {
    return this.established.get(key) ?? this.#fresh.get(key);
  }

  add(key: Key, actor: Actor): void {
    if (this.#fresh.size >= DEFAULTS.anomalyActorsMax) this.#makeRoom();
    this.#fresh.set(key, actor);
  }

  /**
   * The objects of an operation that the actor asks for. Where all together are too many, fresh ones make room; null where there is
   * none.
   */
  objectsOf(actor: Actor, operation: OperationWatch): ObjectsUse | null {
    const known = actor.objects?.get(operation);
    if (known !== undefined) return known;
    while (this.objects >= DEFAULTS.anomalyObjectsAllMax && this.#fresh.size > 0) this.#makeRoom();
    if (actor.isGone || this.objects >= DEFAULTS.anomalyObjectsAllMax) return null;
    const before = actor.objects?.size ?? 0;
    const use = actor.openObjects(operation);
    this.objects += (actor.objects?.size ?? 0) - before;
    return use;
  }

  /** Has been here for long, if there is room for another such. */
  establish(key: Key, actor: Actor): void {
    if (this.established.size >= DEFAULTS.anomalyEstablishedMax) {
      const [oldest] = this.established;
      if (oldest === undefined) return;
      const [oldKey, old] = oldest;
      this.established.delete(oldKey);
      if (actor.lastMs - old.lastMs < DEFAULTS.anomalyLongMs) {
        // Another one is looked at the next time.
        this.established.set(oldKey, old);
        return;
      }
      this.#gone(old);
    }
    this.#fresh.delete(key);
    actor.isKept = true;
    this.established.set(key, actor);
  }

  clear(): void {
    this.established.clear();
    this.#fresh.clear();
    this.objects = 0;
  }

  #gone(actor: Actor): void {
    actor.isGone = true;
    this.objects -= actor.objects?.size ?? 0;
  }

  /** Second chances, halved each time. */
  #makeRoom(): void {
    let chances = CHANCES;
    for (const [key, actor] of this.#fresh) {
      this.#fresh.delete(key);
      if (actor.weight < 1 || chances-- <= 0) {
        this.#gone(actor);
        return;
      }
      actor.weight /= 2;
      this.#fresh.set(key, actor);
    }
  }
}
