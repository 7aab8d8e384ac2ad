import { DEFAULTS } from "../support/defaults.ts";
import type { Actor } from "./actor.ts";

const CHANCES = 8;

/**
 * Actors in bounded memory, in two rooms. Fresh ones push each other out, those first that did nothing of note; who has come for
 * an hour moves to the established, and there only who has been away for a day makes room. So a flood of invented addresses
 * meets its own kind alone.
 */
export class ActorTable<Key> {
  readonly established: Map<Key, Actor> = new Map();
  readonly #fresh = new Map<Key, Actor>();

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
    }
    this.#fresh.delete(key);
    actor.isKept = true;
    this.established.set(key, actor);
  }

  clear(): void {
    this.established.clear();
    this.#fresh.clear();
  }

  /** Second chances, halved each time. */
  #makeRoom(): void {
    let chances = CHANCES;
    for (const [key, actor] of this.#fresh) {
      this.#fresh.delete(key);
      if (actor.weight < 1 || chances-- <= 0) return;
      actor.weight /= 2;
      this.#fresh.set(key, actor);
    }
  }
}
