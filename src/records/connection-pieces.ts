import type { Place } from "../decision/verdict.ts";
import type { ConnectionFacts } from "../message/connection.ts";
import type { HeaderBlock } from "../message/headers.ts";
import type { RequestRecord } from "../telemetry/request-record.ts";

/** Who makes them. */
export interface PiecesMaker {
  beginning(record: RequestRecord): Uint8Array;
  who(record: RequestRecord, place: Place | null): Uint8Array;
}

/** Longer ones are made each time: there may be ten thousand connections. */
const PIECE_BYTES_MAX = 2048;

/**
 * What the requests of one connection share, as pieces of their lines: whoever asks again on a connection is nearly always who asked
 * before, of the same service and with the same headers. Two pieces then stand for all that is neither time, path nor outcome.
 */
export class ConnectionPieces {
  #client = "";
  #listener = "";
  #method = "";
  #host = "";
  #beginning: Uint8Array | null = null;
  #place: Place | null = null;
  #route = "";
  #block: HeaderBlock | null = null;
  #principal: RequestRecord["exchange"]["principal"] = null;
  #certificate: RequestRecord["exchange"]["certificate"] = null;
  #isSeen = false;
  #who: Uint8Array | null = null;

  /** From the listener to where the path comes. */
  beginning(finished: RequestRecord, maker: PiecesMaker): Uint8Array {
    const { clientAddress, listener, exchange } = finished;
    const { method, host } = exchange;
    if (
      this.#beginning !== null &&
      this.#client === clientAddress &&
      this.#listener === listener &&
      this.#method === method &&
      this.#host === host
    )
      return this.#beginning;
    this.#client = clientAddress;
    this.#listener = listener;
    this.#method = method;
    this.#host = host;
    this.#beginning = maker.beginning(finished);
    return this.#beginning;
  }

  /** Who asked for what, of a request without query and version; null for what has not been the same twice. */
  who(finished: RequestRecord, place: Place | null, maker: PiecesMaker): Uint8Array | null {
    const { route } = finished;
    const { headers, principal, certificate } = finished.exchange;
    if (
      this.#isSeen &&
      this.#block === headers &&
      this.#principal === principal &&
      this.#certificate === certificate &&
      this.#place === place &&
      this.#route === route
    ) {
      if (this.#who !== null) return this.#who;
      const who = maker.who(finished, place);
      if (who.length <= PIECE_BYTES_MAX) this.#who = who;
      return who;
    }
    this.#isSeen = true;
    this.#block = headers;
    this.#principal = principal;
    this.#certificate = certificate;
    this.#place = place;
    this.#route = route;
    this.#who = null;
    return null;
  }
}

/** Of each connection, as long as it lasts. */
export class PiecesByConnection {
  readonly #known = new WeakMap<ConnectionFacts, ConnectionPieces>();

  of(connection: ConnectionFacts): ConnectionPieces {
    let pieces = this.#known.get(connection);
    if (pieces === undefined) {
      pieces = new ConnectionPieces();
      this.#known.set(connection, pieces);
    }
    return pieces;
  }
}
