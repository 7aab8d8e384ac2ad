import { type AuditHead, GENESIS, type ReadLine, readAuditLine, sumOf } from "./audit-chain.ts";

/** Where something is, and what. */
export interface AuditFinding {
  /** `file:line`. */
  readonly place: string;
  readonly text: string;
}

/** Follows a chain line by line, over files in the order in which they were written; stops at the first line that is broken. */
export class AuditVerifier {
  readonly #key: Buffer | null;
  readonly #anchor: AuditHead | null;
  #first: number | null = null;
  #last: AuditHead | null = null;
  #lastPlace = "";
  /** Beginning of a line that a crash may have cut off: the next one has to say so. */
  #torn: { readonly place: string; readonly bytes: number } | null = null;
  #lines = 0;
  readonly notes: AuditFinding[] = [];
  /** Whether it stopped at a line that cannot be judged without a key. */
  needsKey = false;

  /** `anchor`: a head that somebody noted elsewhere. */
  constructor(key: Buffer | null, anchor: AuditHead | null) {
    this.#key = key;
    this.#anchor = anchor;
  }

  get figures(): { readonly lines: number; readonly first: number | null; readonly head: AuditHead | null } {
    return { lines: this.#lines, first: this.#first, head: this.#last };
  }

  /** One line; null where it is longer than any. What is broken, null where nothing is. */
  next(place: string, text: string | null): AuditFinding | null {
    const line = text === null ? null : readAuditLine(text);
    if (line === null) return this.#unread(place, text);
    const fault = this.#tornFault(line) ?? this.#faultOf(place, line);
    if (fault !== null) return fault;
    this.#torn = null;
    this.#lines++;
    if (this.#first === null) this.#begin(place, line);
    this.#last = { seq: line.seq, hash: line.hash };
    this.#lastPlace = place;
    return null;
  }

  /** Nothing follows. */
  end(): AuditFinding | null {
    if (this.#torn !== null) return { place: this.#torn.place, text: NO_LINE };
    if (this.#anchor === null) return null;
    const seq = this.#last?.seq ?? 0;
    if (this.#anchor.seq <= seq) return null;
    return { place: this.#lastPlace, text: `is not the end: ${missing(seq + 1, this.#anchor.seq)} behind it` };
  }

  #begin(place: string, { seq }: ReadLine): void {
    this.#first = seq;
    if (seq > 1)
      this.notes.push({ place, text: `begins with line ${seq} of the chain; the files before are not looked at` });
    const anchor = this.#anchor;
    if (anchor !== null && anchor.seq < seq - 1) {
      this.notes.push({ place, text: `line ${anchor.seq}, the head to compare with, is in a file before` });
    }
  }

  #unread(place: string, text: string | null): AuditFinding | null {
    const before = this.#torn;
    if (before !== null || text === null) return { place: before?.place ?? place, text: NO_LINE };
    this.#torn = { place, bytes: Buffer.byteLength(text) };
    return null;
  }

  #tornFault({ body }: ReadLine): AuditFinding | null {
    const torn = this.#torn;
    if (torn === null) return null;
    if (!body.includes(`"event":"opened","torn":${torn.bytes},`)) return { place: torn.place, text: NO_LINE };
    this.notes.push({ place: torn.place, text: "was cut off by a crash, as the line behind it says" });
    return null;
  }

  #faultOf(place: string, line: ReadLine): AuditFinding | null {
    const fault = (text: string): AuditFinding => ({ place, text });
    if (this.#key === null && line.isKeyed) {
      this.needsKey = true;
      return fault("has an HMAC, which only the key of 'log.audit.key' shows to be right; expected --key-file");
    }
    if (this.#key !== null && !line.isKeyed) return fault("has no HMAC: it was written without the key");
    if (line.hash !== sumOf(line.body, this.#key)) {
      return fault(
        `was changed${this.#key === null ? "" : ", or written with another key"}: its hash is not that of its bytes`,
      );
    }
    const before = this.#last ?? (line.seq === 1 ? GENESIS : null);
    if (before !== null && line.prev !== before.hash) return fault(orderFault(before.seq, line.seq));
    if (before !== null && line.seq !== before.seq + 1) return fault(orderFault(before.seq, line.seq));
    const anchor = this.#anchor;
    if (anchor !== null && anchor.seq === line.seq && anchor.hash !== line.hash) {
      return fault(`is another line ${line.seq} than the one of that head: the chain was written anew`);
    }
    return null;
  }
}

const NO_LINE = "is no line of an audit log";

function orderFault(before: number, seq: number): string {
  if (seq > before + 1) return `does not follow the line before it: ${missing(before + 1, seq - 1)} between them`;
  if (seq === before + 1) return `does not follow the line before it, which is another line ${before} than it was`;
  return `is out of order: line ${seq} of the chain behind line ${before}`;
}

function missing(from: number, to: number): string {
  return from === to ? `line ${from} of the chain is missing` : `lines ${from} to ${to} of the chain are missing`;
}
