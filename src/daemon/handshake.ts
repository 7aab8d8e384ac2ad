import type { Socket } from "node:net";
import type { Client } from "../memory/account.ts";
import type { Holder, YieldingAccount } from "../memory/yielding-account.ts";
import { DEFAULTS } from "../support/defaults.ts";

/** What a connection holds from its first byte to the end of its handshake; it gives way to newer ones. */
export class Handshake implements Holder {
  readonly client: Client;
  gaveWay = false;
  readonly #socket: Socket;
  readonly #account: YieldingAccount;
  readonly #onGaveWay: () => void;

  constructor(socket: Socket, client: Client, account: YieldingAccount, onGaveWay: () => void) {
    this.client = client;
    this.#socket = socket;
    this.#account = account;
    this.#onGaveWay = onGaveWay;
  }

  /** Waits for its first bytes; false where there is no room even for that. */
  begin(): boolean {
    if (!this.#account.enter(this, DEFAULTS.memoryWaitingBytes)) return false;
    this.#socket.once("close", () => this.end());
    return true;
  }

  /** They are here, and cost a TLS state. */
  beginTls(): boolean {
    return this.#account.resize(this, DEFAULTS.memoryHandshakeBytes);
  }

  /** It is over, and what it leads to counts elsewhere. */
  end(): void {
    this.#account.leave(this);
  }

  giveWay(): boolean {
    this.gaveWay = true;
    this.#onGaveWay();
    this.#socket.destroy();
    return true;
  }
}
