import type { Transform } from "node:stream";
import { constants, createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import type { Account } from "../../memory/account.ts";
import { NOBODY } from "../../memory/budget.ts";
import { DEFAULTS } from "../../support/defaults.ts";

interface Coding {
  open(): Transform;
  /** About what its state takes up. */
  readonly bytes: number;
}

const GZIP: Coding = { open: () => createGunzip(), bytes: 64 * 1024 };

/** Codings of RFC 9110 section 8.4.1, and zstd (RFC 8878, with no window larger than its section 3.1.1.1.2 asks readers for). */
const CODINGS: ReadonlyMap<string, Coding> = new Map([
  ["gzip", GZIP],
  ["x-gzip", GZIP],
  ["deflate", { open: () => createInflate(), bytes: 64 * 1024 }],
  ["br", { open: () => createBrotliDecompress(), bytes: 4 * 1024 * 1024 }],
  [
    "zstd",
    { open: () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: 23 } }), bytes: 8 * 1024 * 1024 },
  ],
]);

/**
 * What a compressed body holds, for whoever only looks at it: beside the answer, which waits for nothing here. It ends
 * early, and says that it failed, where the body is not what it says, holds more than it may, or comes faster than it can
 * be looked at.
 */
export class Inflating {
  /** True once it looks at nothing more. */
  isOver = false;
  readonly #stream: Transform;
  readonly #account: Account;
  readonly #bytes: number;
  readonly #onOver: (isWhole: boolean) => void;
  #inflatedBytes = 0;

  /** Null for codings that are not known, and where there is no room. `onOver` is called once, unless `stop` is. */
  static open(
    coding: string,
    account: Account,
    onBytes: (bytes: Buffer) => void,
    onOver: (isWhole: boolean) => void,
  ): Inflating | null {
    const known = CODINGS.get(coding);
    if (known === undefined || !account.take(NOBODY, known.bytes)) return null;
    return new Inflating(known, account, onBytes, onOver);
  }

  private constructor(
    coding: Coding,
    account: Account,
    onBytes: (bytes: Buffer) => void,
    onOver: (isWhole: boolean) => void,
  ) {
    this.#account = account;
    this.#bytes = coding.bytes;
    this.#onOver = onOver;
    this.#stream = coding.open();
    this.#stream.on("data", (bytes: Buffer) => {
      if (this.isOver) return;
      this.#inflatedBytes += bytes.length;
      if (this.#inflatedBytes > DEFAULTS.budgetInflatedBytesMax) this.#end(false);
      else onBytes(bytes);
    });
    this.#stream.on("end", () => this.#end(true));
    this.#stream.on("error", () => this.#end(false));
  }

  feed(chunk: Buffer): void {
    if (this.isOver) return;
    this.#stream.write(chunk);
    if (this.#stream.writableLength > DEFAULTS.budgetInflateBacklogBytesMax) this.#end(false);
  }

  /** All has come; `onOver` tells when all has been looked at. */
  end(): void {
    if (!this.isOver) this.#stream.end();
  }

  /** Nobody wants to know any more. */
  stop(): void {
    this.#close();
  }

  #end(isWhole: boolean): void {
    if (!this.#close()) return;
    this.#onOver(isWhole);
  }

  #close(): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    this.#account.release(NOBODY, this.#bytes);
    this.#stream.destroy();
    return true;
  }
}
