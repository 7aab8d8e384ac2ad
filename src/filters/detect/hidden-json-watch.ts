import { JsonSniffer } from "../../bodies/json-sniffer.ts";
import { Denial, type Place, type Verdict } from "../../decision/verdict.ts";
import type { BodyWatch } from "../../message/body-watch.ts";
import { DEFAULTS } from "../../support/defaults.ts";

/**
 * Looks at a body whose label says that it holds no text: what begins as JSON stays until rules have seen it, for services that ask for
 * no type; anything else goes by.
 */
export class HiddenJsonWatch implements BodyWatch {
  readonly #place: Place;
  readonly #judge: (bytes: Buffer) => Verdict | Promise<Verdict>;
  readonly #refusesBeyond: boolean;
  readonly #sniffer = new JsonSniffer();
  /** Null where it goes by. */
  #pieces: Buffer[] | null = [];
  #bytes = 0;

  constructor(place: Place, refusesBeyond: boolean, judge: (bytes: Buffer) => Verdict | Promise<Verdict>) {
    this.#place = place;
    this.#refusesBeyond = refusesBeyond;
    this.#judge = judge;
  }

  get ownBytes(): number {
    return this.#pieces === null ? 0 : this.#bytes;
  }

  scan(piece: Buffer): number | Denial {
    if (this.#pieces === null) return 0;
    if (this.#sniffer.found === null) this.#sniffer.look(piece);
    if (this.#sniffer.found === "other") return this.#goBy();
    this.#bytes += piece.length;
    if (this.#bytes > DEFAULTS.bodyInspectedBytesMax) return this.#tooLong();
    this.#pieces.push(Buffer.from(piece));
    return this.#bytes;
  }

  end(): Verdict | Promise<Verdict> {
    return this.#judge(Buffer.concat(this.#pieces ?? []));
  }

  #goBy(): number {
    this.#pieces = null;
    return 0;
  }

  #tooLong(): number | Denial {
    if (!this.#refusesBeyond) return this.#goBy();
    const most = `at most ${DEFAULTS.bodyInspectedBytesMax} bytes of JSON, or 'beyond: pass'`;
    return new Denial("search_limit_exceeded", this.#place, "more JSON under another label", most);
  }
}
