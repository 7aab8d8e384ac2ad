import type { ClientStream } from "../message/stream.ts";
import { DEFAULTS } from "../support/defaults.ts";

/**
 * The beginning of a request's body, kept until the request has earned a connection to the service. Those are few: held
 * by clients that announce a body and send it byte by byte, a hundred of them would shut everybody else out.
 */
export class EarlyBody {
  readonly #onEnough: () => void;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  /** Trailer lines once the body is here whole. */
  #trailers: string | null = null;
  #enough = false;

  /** `onEnough` is called once: enough came, or all. */
  constructor(onEnough: () => void) {
    this.#onEnough = onEnough;
  }

  /** True where enough came, so that the rest may wait. */
  add(chunk: Buffer): boolean {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < DEFAULTS.bodyPreludeBytes) return false;
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

  writeTo(service: ClientStream): void {
    for (const chunk of this.#chunks.splice(0)) service.writeBody(chunk);
    if (this.#trailers !== null) service.endBody(this.#trailers);
    this.#trailers = null;
  }
}
