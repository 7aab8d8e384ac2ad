import type { Place } from "../decision/verdict.ts";
import type { RequestObserver } from "../records/decision-records.ts";
import type { FinishedRequest } from "../records/make-facts.ts";
import type { Clock } from "../support/clock.ts";
import type { InventoryBook } from "./book.ts";
import type { DeclaredRoute } from "./declared.ts";
import type { Sight } from "./operation-use.ts";
import { outcomeOf } from "./outcome.ts";
import { type RouteUse, UNMATCHED } from "./route-use.ts";

/** What one policy's requests add to the book: found by the place of their route, a pointer. */
export class InventoryObserver implements RequestObserver {
  readonly #book: InventoryBook;
  readonly #declared: ReadonlyMap<Place, DeclaredRoute>;
  readonly #clock: Pick<Clock, "wallMs">;
  /** Null for what no route has, as a page of postern's own. */
  readonly #uses = new Map<Place | null, RouteUse | null>();

  constructor(book: InventoryBook, declared: ReadonlyMap<Place, DeclaredRoute>, clock: Pick<Clock, "wallMs">) {
    this.#book = book;
    this.#declared = declared;
    this.#clock = clock;
  }

  observe(finished: FinishedRequest, place: Place | null): void {
    let route = this.#uses.get(place);
    if (route === undefined) route = this.#open(place);
    if (route === null) return;
    const { exchange, denial, requestBodyBytes, status } = finished;
    const atMs = this.#clock.wallMs();
    route.requests++;
    if (denial !== null) route.refused(denial, false, atMs);
    if (exchange.audited !== null) for (const one of exchange.audited) route.refused(one, true, atMs);
    const sight: Sight = {
      method: exchange.method,
      outcome: outcomeOf(finished),
      principal: exchange.principal,
      atMs,
      status,
      hasBody: requestBodyBytes > 0,
      isAttack: exchange.detected !== null,
      leaks: exchange.leaks,
    };
    if (route.prefix === null) route.operation(exchange.method).note(sight);
    else this.#book.learnLater(route, exchange.target.path, sight);
    this.#book.changed();
  }

  #open(place: Place | null): RouteUse | null {
    const declared = place === null ? null : this.#declared.get(place);
    const use = declared === undefined ? null : this.#book.route(declared === null ? UNMATCHED : declared.id);
    this.#uses.set(place, use);
    return use;
  }
}
