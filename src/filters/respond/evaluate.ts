import { type Piece, textOf } from "../../attributes/filled-text.ts";
import { Denial, type Place } from "../../decision/verdict.ts";
import type { Exchange } from "../../message/exchange.ts";
import { HeaderBlock } from "../../message/headers.ts";
import type { PathWriter } from "../path-writer.ts";

/** An answer in place of the service's, without framing. */
export interface GivenAnswer {
  readonly status: number;
  readonly headers: HeaderBlock;
  readonly body: Buffer;
}

/** What a route answers itself. */
export interface RouteAnswer {
  readonly place: Place;
  /** `query` is the client's without credentials. */
  give(exchange: Exchange, query: string): GivenAnswer | Denial;
}

const NOTHING = Buffer.alloc(0);

/** The same answer to every request. */
export class CannedAnswer implements RouteAnswer {
  readonly place: Place;
  readonly #answer: GivenAnswer;

  constructor(place: Place, answer: GivenAnswer) {
    this.place = place;
    this.#answer = answer;
  }

  give(): GivenAnswer {
    return this.#answer;
  }
}

/** Where a redirect leads, apart from its path. Host and scheme are the policy's own words. */
export interface RedirectParts {
  /** `https://new.example.org`, or empty for the host that was asked. */
  readonly origin: string;
  /** With its `?`; null for the client's, empty for none. */
  readonly query: readonly Piece[] | null;
  /** With its `#`. */
  readonly fragment: readonly Piece[];
}

export class Redirect implements RouteAnswer {
  readonly place: Place;
  readonly #status: number;
  readonly #path: PathWriter;
  readonly #parts: RedirectParts;

  constructor(place: Place, status: number, path: PathWriter, parts: RedirectParts) {
    this.place = place;
    this.#status = status;
    this.#path = path;
    this.#parts = parts;
  }

  give(exchange: Exchange, query: string): GivenAnswer | Denial {
    const { origin, query: ownQuery, fragment } = this.#parts;
    // Odd forms that the service is known to read are unknown to whoever is there.
    const path = this.#path.write(exchange, 0);
    if (path instanceof Denial) return path;
    const asked = ownQuery === null ? query : this.#fill(ownQuery, exchange);
    if (asked instanceof Denial) return asked;
    const end = this.#fill(fragment, exchange);
    if (end instanceof Denial) return end;
    const headers = new HeaderBlock(["location"], [origin + path + asked + end]);
    return { status: this.#status, headers, body: NOTHING };
  }

  #fill(pieces: readonly Piece[], exchange: Exchange): string | Denial {
    let text = "";
    for (const piece of pieces) {
      const value = typeof piece === "string" ? null : textOf(piece, exchange);
      if (typeof piece !== "string" && value === null)
        return new Denial("attribute_missing", this.place, `${piece.text} (absent)`, "a value to write into 'to'");
      text += typeof piece === "string" ? piece : encodeURIComponent(value ?? "");
    }
    return text;
  }
}
