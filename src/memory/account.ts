/** Who holds memory: one client by its address, or a proxy that stands for many. */
export interface Client {
  readonly key: number | string;
  /** No share bounds it, for it is no single client. */
  readonly isMany: boolean;
}

/**
 * One part of the process's memory: what is held of it, by everybody and by each client. A client may have a share of it,
 * so that none can shut the others out. Plain numbers; entries as many as there are clients that hold something.
 */
export class Account {
  bytesMax = Number.POSITIVE_INFINITY;
  clientBytesMax = Number.POSITIVE_INFINITY;
  heldBytes = 0;
  /** How often something was refused, because the account or the client's share was spent. */
  refused = 0;
  /** How often somebody gave way to a newcomer. */
  yielded = 0;
  readonly #clients = new Map<Client["key"], number>();

  /** False, counted and nothing taken, where there is no room. */
  take(client: Client, bytes: number): boolean {
    if (this.hasRoom(client, bytes)) {
      this.#add(client.key, bytes);
      return true;
    }
    this.refused++;
    return false;
  }

  /**
   * For what cannot be refused, as an answer that has begun: only the client's own share bounds it. Beyond the account's
   * bytes others are refused what can be.
   */
  takeUnasked(client: Client, bytes: number): boolean {
    if (this.isWithinShare(client, bytes)) {
      this.#add(client.key, bytes);
      return true;
    }
    this.refused++;
    return false;
  }

  release({ key }: Client, bytes: number): void {
    this.heldBytes -= bytes;
    const left = this.heldBy(key) - bytes;
    if (left > 0) this.#clients.set(key, left);
    else this.#clients.delete(key);
  }

  hasRoom(client: Client, bytes: number): boolean {
    return this.heldBytes + bytes <= this.bytesMax && this.isWithinShare(client, bytes);
  }

  isWithinShare({ key, isMany }: Client, bytes: number): boolean {
    return isMany || this.heldBy(key) + bytes <= this.clientBytesMax;
  }

  heldBy(key: Client["key"]): number {
    return this.#clients.get(key) ?? 0;
  }

  #add(key: Client["key"], bytes: number): void {
    this.heldBytes += bytes;
    this.#clients.set(key, this.heldBy(key) + bytes);
  }
}

/** What somebody holds of an account, given back at once. */
export class Charge {
  readonly #account: Account;
  readonly #client: Client;
  #bytes = 0;

  constructor(account: Account, client: Client) {
    this.#account = account;
    this.#client = client;
  }

  /** Holds `bytes` from here on, be it more or less than before; false, and nothing changed, where there is no room. */
  hold(bytes: number): boolean {
    const more = bytes - this.#bytes;
    return (more <= 0 || this.#account.take(this.#client, more)) && this.#set(bytes);
  }

  /** The same for what cannot be refused before the client's own share is spent. */
  holdUnasked(bytes: number): boolean {
    const more = bytes - this.#bytes;
    return (more <= 0 || this.#account.takeUnasked(this.#client, more)) && this.#set(bytes);
  }

  #set(bytes: number): true {
    const more = bytes - this.#bytes;
    if (more < 0) this.#account.release(this.#client, -more);
    this.#bytes = bytes;
    return true;
  }

  release(): void {
    if (this.#bytes > 0) this.hold(0);
  }
}
