import { hash } from "node:crypto";
import type { Account, Client } from "../memory/account.ts";
import { DEFAULTS } from "../support/defaults.ts";

/** `late`: its time is over, or was forgotten; `full`: nothing more can be remembered, so nobody could tell a replay. */
export type Spent = "new" | "replayed" | "late" | "full";

interface Bucket {
  readonly keys: Set<string>;
  /** How many of them each client brought. */
  readonly clients: Map<Client["key"], { readonly client: Client; count: number }>;
}

/**
 * What was proven and may not be proven again: each proof until the moment from which its own time refuses it. Proofs lie in
 * buckets by that moment, which are forgotten whole; what belongs to a forgotten bucket is late, whatever a clock that
 * was set back says. Nothing gives way to newcomers, for that would be the way to replay: a client whose share is
 * spent, and everybody once the account is, is refused.
 */
export class ReplayWindow {
  readonly #account: Account;
  readonly #buckets = new Map<number, Bucket>();
  /** The first bucket that is not forgotten. */
  #first = 0;
  size = 0;
  refused = 0;

  constructor(account: Account) {
    this.#account = account;
  }

  /** `key` names the proof, with what tells apart those who make them; it is good until `untilMs` (Unix). */
  spend(key: string, untilMs: number, nowMs: number, client: Client): Spent {
    this.#forget(nowMs);
    const at = Math.floor(untilMs / DEFAULTS.replayBucketMs);
    if (at < this.#first || untilMs <= nowMs) return "late";
    const short = hash("sha256", key, "buffer").toString("latin1", 0, KEY_BYTES);
    // One proof has one end, but not one that can be told from another's: who made it could sign it anew with a later one.
    for (const bucket of this.#buckets.values()) if (bucket.keys.has(short)) return "replayed";
    if (!this.#account.take(client, DEFAULTS.memoryProofBytes)) {
      this.refused++;
      return "full";
    }
    this.#add(at, short, client);
    return "new";
  }

  /** Nothing was proven so far. */
  clear(): void {
    this.close();
    this.#first = 0;
  }

  close(): void {
    this.#forget(Number.POSITIVE_INFINITY);
  }

  #add(at: number, short: string, client: Client): void {
    let bucket = this.#buckets.get(at);
    if (bucket === undefined) {
      bucket = { keys: new Set(), clients: new Map() };
      this.#buckets.set(at, bucket);
    }
    bucket.keys.add(short);
    const held = bucket.clients.get(client.key);
    if (held === undefined) bucket.clients.set(client.key, { client, count: 1 });
    else held.count++;
    this.size++;
  }

  #forget(nowMs: number): void {
    const first = Math.floor(nowMs / DEFAULTS.replayBucketMs);
    if (first <= this.#first) return;
    this.#first = first;
    for (const [at, { keys, clients }] of this.#buckets) {
      if (at >= first) continue;
      for (const { client, count } of clients.values()) {
        this.#account.release(client, count * DEFAULTS.memoryProofBytes);
      }
      this.size -= keys.size;
      this.#buckets.delete(at);
    }
  }
}

/** Of a hash's 32: nobody finds two proofs that agree in so many. */
const KEY_BYTES = 16;
