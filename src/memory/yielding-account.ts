import { DEFAULTS } from "../support/defaults.ts";
import { Account, type Client } from "./account.ts";

/** Who holds memory that a newcomer may need more. */
export interface Holder {
  readonly client: Client;
  /** Gives all of it back now; false where it is in use. */
  giveWay(): boolean;
}

/**
 * An account whose holders give way to newcomers. A client whose share is spent makes room among its own; where the
 * account is spent, the client with the most does. Of its holders the oldest goes first that is not in use.
 */
export class YieldingAccount extends Account {
  /** By client, the oldest first; a holder that was found in use goes to the end. */
  readonly #holders = new Map<Client["key"], Map<Holder, number>>();

  /** Lets a holder in with so many bytes; false, and counted, where nobody gives way. */
  enter(holder: Holder, bytes: number): boolean {
    if (!this.#makeRoom(holder, bytes) || !this.take(holder.client, bytes)) return false;
    const { key } = holder.client;
    const own = this.#holders.get(key);
    if (own === undefined) this.#holders.set(key, new Map([[holder, bytes]]));
    else own.set(holder, bytes);
    return true;
  }

  /** A holder that is in needs `bytes` altogether; false where nobody gives way to it. */
  resize(holder: Holder, bytes: number): boolean {
    const own = this.#holders.get(holder.client.key);
    const before = own?.get(holder);
    if (own === undefined || before === undefined) return false;
    own.delete(holder); // it is the newest from here on, and is not asked to give way to itself
    const fits = this.#makeRoom(holder, bytes - before) && this.take(holder.client, bytes - before);
    own.set(holder, fits ? bytes : before);
    this.#holders.set(holder.client.key, own);
    return fits;
  }

  /** Once it holds nothing any more; of one that is not in, nothing happens. */
  leave(holder: Holder): void {
    const own = this.#holders.get(holder.client.key);
    const bytes = own?.get(holder);
    if (own === undefined || bytes === undefined) return;
    own.delete(holder);
    if (own.size === 0) this.#holders.delete(holder.client.key);
    this.release(holder.client, bytes);
  }

  #makeRoom({ client }: Holder, bytes: number): boolean {
    while (!this.isWithinShare(client, bytes)) {
      if (!this.#ask(client.key)) return this.#refuse();
    }
    while (this.heldBytes + bytes > this.bytesMax) {
      if (!this.#ask(this.#greediest()) && !this.#ask(client.key)) return this.#refuse();
    }
    return true;
  }

  #refuse(): false {
    this.refused++;
    return false;
  }

  #greediest(): Client["key"] {
    let most = -1;
    let greediest: Client["key"] = "";
    for (const key of this.#holders.keys()) {
      const bytes = this.heldBy(key);
      if (bytes <= most) continue;
      most = bytes;
      greediest = key;
    }
    return greediest;
  }

  /** Asks the client's holders one after another, a bounded number of them; true where one went. */
  #ask(key: Client["key"]): boolean {
    const own = this.#holders.get(key);
    if (own === undefined) return false;
    let asked = 0;
    for (const [holder, bytes] of own) {
      if (holder.giveWay()) {
        this.leave(holder);
        this.yielded++;
        return true;
      }
      if (++asked >= Math.min(own.size, DEFAULTS.memoryHoldersAskedMax)) return false;
      own.delete(holder);
      own.set(holder, bytes);
    }
    return false;
  }
}
