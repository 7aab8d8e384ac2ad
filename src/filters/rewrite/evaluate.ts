import { Denial, type Place } from "../../decision/verdict.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { PathWriter } from "../path-writer.ts";
import type { QueryRewrite } from "./query.ts";

/** What of the target the service gets in another form. */
export interface RewrittenTarget {
  readonly path: string;
  readonly query: string;
}

/** A route's rewrite, with everything that can be known before a request comes. */
export class TargetRewrite {
  readonly place: Place;
  /** Whom the service takes itself for; null where it is told what the client asked. */
  readonly authority: string | null;
  /** Segments that are exchanged, without a slash at their end; null where the path is rewritten otherwise. */
  readonly prefix: { readonly from: string; readonly to: string } | null;
  /** Header lines that tell the service what of the path is not there any more. */
  readonly lines: string;
  /** Of the paths that it makes (matching/template.ts). */
  readonly shape: string;
  readonly #path: PathWriter | null;
  readonly #query: QueryRewrite | null;

  constructor(
    place: Place,
    path: PathWriter | null,
    query: QueryRewrite | null,
    authority: string | null,
    prefix: TargetRewrite["prefix"],
    shape: string,
  ) {
    this.place = place;
    this.authority = authority;
    this.prefix = prefix;
    // Services make their links with it, as Spring and ASP.NET do. True only of what was taken off and not exchanged.
    const isTakenOff = prefix !== null && prefix.to === "" && prefix.from !== "";
    this.lines = isTakenOff ? `x-forwarded-prefix: ${prefix.from}\r\n` : "";
    this.shape = path?.shape ?? shape;
    this.#path = path;
    this.#query = query;
  }

  /** `query` as it is without this; `keeps` is what the route keeps in its paths. */
  apply(exchange: Exchange, query: string, keeps: number): RewrittenTarget | Denial {
    const path = this.#path === null ? exchange.target.path : this.#path.write(exchange, keeps);
    if (path instanceof Denial) return path;
    const rewritten = this.#query === null ? query : this.#query.apply(query, exchange);
    return rewritten instanceof Denial ? rewritten : { path, query: rewritten };
  }
}
