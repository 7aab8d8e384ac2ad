import type { Charge } from "../memory/account.ts";
import type { MemoryBudget } from "../memory/budget.ts";
import { ByteHold } from "../message/byte-hold.ts";
import type { Exchange } from "../message/exchange.ts";
import type { ClientStream } from "../message/stream.ts";
import { DEFAULTS } from "../support/defaults.ts";

/**
 * The beginning of a request's body, kept until the request has earned a connection to the service. Those are few: held
 * by clients that announce a body and send it byte by byte, a hundred of them would shut everybody else out.
 */
export class EarlyBody {
  readonly #onEnough: () => void;
  readonly #hold = new ByteHold();
  /** Trailer lines once the body is here whole. */
  #trailers: string | null = null;
  #enough = false;
  #charge: Charge | null = null;

  /** `onEnough` is called once: enough came, or all. */
  constructor(onEnough: () => void) {
    this.#onEnough = onEnough;
  }

  /** True where enough came, so that the rest may wait. */
  add(chunk: Buffer): boolean {
    this.#hold.add(chunk);
    if (this.#hold.bytes < DEFAULTS.bodyPreludeBytes) return false;
    this.#tell();
    return true;
  }

  /** The body is here whole. */
  end(trailers: string): void {
    this.#trailers = trailers;
    this.#tell();
  }

  #tell(): void {
    if (this.#enough) return;
    this.#enough = true;
    this.#onEnough();
  }

  /**
   * Counts what has to wait, for its rest or for a connection; false where there is no room. Most of them wait for
   * nothing or are small, and cost nothing.
   */
  keep(exchange: Exchange, { bodies }: Pick<MemoryBudget, "bodies">): boolean {
    if (this.#hold.bytes === 0) return true;
    this.#hold.keep();
    if (this.#hold.keptBytes < DEFAULTS.keptBytesMin) return true;
    this.#charge = exchange.chargeTo(bodies);
    return this.#charge.hold(this.#hold.keptBytes);
  }

  writeTo(service: ClientStream): void {
    const bytes = this.#hold.take();
    if (bytes !== null) service.writeBody(bytes);
    if (this.#trailers !== null) service.endBody(this.#trailers);
    this.#trailers = null;
    this.#charge?.release();
  }
}
