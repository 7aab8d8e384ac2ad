import { methodScannerOf } from "../bodies/method-body.ts";
import type { MethodScanner } from "../bodies/method-scanner.ts";
import { CONTINUE, type Denial, type Verdict } from "../decision/verdict.ts";
import type { BodyWatch } from "../message/body-watch.ts";
import { judgeMethods, type MethodSubject } from "./method-override.ts";

/** Who looks for methods in the body of `subject`; null where nobody reads one from it. */
export function methodWatchOf(subject: MethodSubject): BodyWatch | null {
  const { methodBody, route, exchange } = subject;
  const parameters = route?.methodParameters ?? null;
  if (methodBody === null || parameters === null) return null;
  return new MethodWatch(subject, methodScannerOf(methodBody, parameters, exchange.body.announcedBytes));
}

/**
 * Watches a body that may name another method. The value that names one stays back until it is whole and judged; that is as
 * long as a value may be, and where a name is cut by two reads, the rest of the second.
 */
class MethodWatch implements BodyWatch {
  readonly ownBytes = 0;
  readonly #subject: MethodSubject;
  readonly #scanner: MethodScanner;
  readonly #found: string[] = [];
  #stayingBytes = 0;

  constructor(subject: MethodSubject, scanner: MethodScanner) {
    this.#subject = subject;
    this.#scanner = scanner;
  }

  scan(piece: Buffer): number | Denial {
    const safe = this.#scanner.scan(piece, this.#found);
    const verdict = this.#judge();
    if (verdict !== CONTINUE) return verdict;
    this.#stayingBytes = piece.length - safe + (safe === 0 ? this.#stayingBytes : 0);
    return this.#stayingBytes;
  }

  end(): Verdict {
    this.#scanner.end(this.#found);
    return this.#judge();
  }

  #judge(): Verdict {
    if (this.#found.length === 0) return CONTINUE;
    return judgeMethods(this.#subject, this.#found.splice(0), "body");
  }
}
