import type { Attribute } from "../../attributes/attribute.ts";
import { type Piece, textOf } from "../../attributes/filled-text.ts";
import { foldName, namesRead } from "../../bodies/names.ts";
import { Denial, type Place } from "../../decision/verdict.ts";
import type { Exchange } from "../../message/exchange.ts";
import { decodedName, queryPairs } from "../../message/query.ts";

/** Parameters of a query → those that the service gets. */
export class QueryRewrite {
  readonly #set: readonly (readonly [name: string, pieces: readonly Piece[]])[];
  readonly #rename: ReadonlyMap<string, string>;
  /** Folded: in no spelling that some service takes for one of these does a client's own stay. */
  readonly #off: ReadonlySet<string>;
  readonly #place: Place;

  constructor(
    set: readonly (readonly [string, readonly Piece[]])[],
    rename: ReadonlyMap<string, string>,
    remove: readonly string[],
    place: Place,
  ) {
    this.#set = set;
    this.#rename = rename;
    this.#off = new Set([...set.map(([name]) => name), ...rename.values(), ...remove].map(foldName));
    this.#place = place;
  }

  apply(query: string, exchange: Exchange): string | Denial {
    const pairs: string[] = [];
    for (const pair of queryPairs(query)) {
      const name = decodedName(pair);
      const renamed = this.#rename.get(name);
      if (renamed !== undefined) {
        const equals = pair.indexOf("=");
        pairs.push(this.#single(renamed + (equals < 0 ? "" : pair.slice(equals)), pair.slice(equals + 1)));
      } else if (!this.#isOff(name)) pairs.push(this.#single(pair, pair));
    }
    for (const [name, pieces] of this.#set) {
      const filled = this.#fill(name, pieces, exchange);
      if (filled instanceof Denial) return filled;
      pairs.push(`${name}=${filled}`);
    }
    return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
  }

  #isOff(name: string): boolean {
    return namesRead(name).some((read) => this.#off.has(read));
  }

  /** Some services read `;` as `&` (Rack before 2.2.3, Perl, Python before 3.9.2): a name behind one stays a part of the value before it. */
  #single(pair: string, client: string): string {
    const hides = client.includes(";") && client.split(";").some((piece) => this.#isOff(decodedName(piece)));
    return hides ? pair.replaceAll(";", "%3B") : pair;
  }

  #fill(name: string, pieces: readonly Piece[], exchange: Exchange): string | Denial {
    let text = "";
    for (const piece of pieces) {
      const value = typeof piece === "string" ? piece : textOf(piece, exchange);
      if (value === null) return this.#missing(name, piece as Attribute);
      text += encodeURIComponent(value);
    }
    return text;
  }

  /** A service that gets no tenant may answer for all of them. */
  #missing(name: string, { text }: Attribute): Denial {
    return new Denial("attribute_missing", this.#place, `${text} (absent)`, `a value of the parameter '${name}'`);
  }
}
