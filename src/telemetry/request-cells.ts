import { REASONS, type Reason, type ReasonSource } from "../decision/reason.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { ANSWER_BOUNDS_SECONDS, Cell, HistogramCells } from "./cells.ts";

/** Methods that are a label value of their own; a client can invent others, so those share `other`. */
const METHODS = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "QUERY",
  "TRACE",
  "CONNECT",
  "other",
] as const;
const METHOD_AT: ReadonlyMap<string, number> = new Map(METHODS.map((method, at) => [method, at]));
const METHOD_OTHER = METHODS.length - 1;

const REASON_LIST = Object.keys(REASONS) as readonly Reason[];
/** 0 is `none`: the service's own answer. */
const REASON_AT: ReadonlyMap<string, number> = new Map(REASON_LIST.map((reason, at) => [reason, at + 1]));

const STATUS_CLASSES = ["other", "1xx", "2xx", "3xx", "4xx", "5xx"] as const;

/** The route of combinations beyond `metricSeriesMax`, and of durations beyond `metricTimedRoutesMax`. */
const OVERFLOW_ROUTE = "overflow";

export interface RequestSeries {
  readonly listener: string;
  readonly upstream: string;
  readonly route: string;
  readonly method: string;
  readonly statusClass: string;
  readonly reason: Reason | "none";
  readonly source: ReasonSource | "none";
  readonly value: number;
}

export interface RequestTotals {
  readonly all: number;
  readonly bySource: Readonly<Record<ReasonSource, number>>;
}

/** The cells of one place and route: counts by method, status class and reason, and how long requests took. */
class RouteCells {
  readonly place: PlaceCells;
  readonly route: string;
  readonly cells: Map<number, Cell> = new Map();
  /** Those of `overflow` where there are too many. */
  readonly times: HistogramCells;
  readonly ownsTimes: boolean;

  constructor(place: PlaceCells, route: string, times: HistogramCells | null) {
    this.place = place;
    this.route = route;
    this.ownsTimes = times === null;
    this.times = times ?? new HistogramCells(ANSWER_BOUNDS_SECONDS);
  }
}

/** Everything that is counted for one listener and one upstream. */
class PlaceCells {
  readonly listener: string;
  readonly upstream: string;
  readonly routes: Map<string, RouteCells> = new Map();
  /** From forwarding to the head of the service's answer. */
  readonly answered: HistogramCells = new HistogramCells(ANSWER_BOUNDS_SECONDS);

  constructor(listener: string, upstream: string) {
    this.listener = listener;
    this.upstream = upstream;
  }
}

/** Durations of one route or one upstream, with what tells them apart. */
export interface TimesSeries {
  readonly listener: string;
  readonly upstream: string;
  readonly route: string;
  readonly times: HistogramCells;
}

/** What of policies gives label values: series of others are forgotten. */
export interface KnownNames {
  readonly listeners: ReadonlySet<string>;
  readonly upstreams: ReadonlySet<string>;
  readonly routes: ReadonlySet<string>;
}

const NOWHERE = new PlaceCells("", "");

/**
 * Requests by listener, upstream, route, method, status class and reason, and their durations. A client chooses only the
 * method and what goes wrong, both from closed lists; the rest comes from policies, and that of policies past leaves with
 * `retain`.
 */
export class RequestCells {
  readonly #places = new Map<string, PlaceCells>();
  #last: RouteCells = new RouteCells(NOWHERE, "", null);
  #series = 0;
  #timedRoutes = 0;

  /** Counts a request; its route's durations. */
  count(
    listener: string,
    upstream: string,
    route: string,
    method: string,
    status: number,
    reason: Reason | null,
  ): RouteCells {
    const row = this.#row(this.#place(listener, upstream), route);
    this.#last = row;
    const key = cellKey(METHOD_AT.get(method) ?? METHOD_OTHER, status, reason);
    const cell = row.cells.get(key);
    if (cell !== undefined) cell.value++;
    else this.#newCell(row, key, status, reason).value++;
    return row;
  }

  /** Forgets routes, listeners and upstreams that the given policies do not have, so that many reloads cannot fill memory. */
  retain({ listeners, upstreams, routes }: KnownNames): void {
    for (const [key, place] of this.#places) {
      const isKnown = listeners.has(place.listener) && (upstreams.has(place.upstream) || place.upstream === "");
      for (const [route, row] of place.routes) {
        if (isKnown && (routes.has(route) || route === OVERFLOW_ROUTE)) continue;
        place.routes.delete(route);
        this.#series -= row.cells.size;
        if (row.ownsTimes && route !== OVERFLOW_ROUTE) this.#timedRoutes--;
      }
      if (!isKnown || place.routes.size === 0) this.#places.delete(key);
    }
    this.#last = new RouteCells(NOWHERE, "", null);
  }

  *series(): Generator<RequestSeries> {
    for (const place of this.#places.values()) {
      for (const row of place.routes.values()) {
        for (const [key, cell] of row.cells) yield describe(row, key, cell.value);
      }
    }
  }

  /** Over everything; `bySource` has those that did not get the service's answer whole. */
  totals(): RequestTotals {
    const bySource = { client: 0, upstream: 0, proxy: 0 };
    let all = 0;
    for (const { routes } of this.#places.values()) {
      for (const { cells } of routes.values()) {
        for (const [key, { value }] of cells) {
          all += value;
          const reason = REASON_LIST[Math.floor(key / (STATUS_CLASSES.length * METHODS.length)) - 1];
          if (reason !== undefined) bySource[REASONS[reason].source] += value;
        }
      }
    }
    return { all, bySource };
  }

  /** How long requests took, by route. */
  *times(): Generator<TimesSeries> {
    for (const { listener, upstream, routes } of this.#places.values()) {
      for (const { route, times, ownsTimes } of routes.values()) {
        if (ownsTimes) yield { listener, upstream, route, times };
      }
    }
  }

  /** How long services took to answer, by upstream. */
  *answerTimes(): Generator<Omit<TimesSeries, "route">> {
    for (const { listener, upstream, answered } of this.#places.values()) {
      if (upstream !== "") yield { listener, upstream, times: answered };
    }
  }

  #place(listener: string, upstream: string): PlaceCells {
    const last = this.#last.place;
    if (last.listener === listener && last.upstream === upstream && last !== NOWHERE) return last;
    const key = `${listener}\n${upstream}`;
    let place = this.#places.get(key);
    if (place === undefined) {
      place = new PlaceCells(listener, upstream);
      this.#places.set(key, place);
    }
    return place;
  }

  #row(place: PlaceCells, route: string): RouteCells {
    if (this.#last.place === place && this.#last.route === route) return this.#last;
    let row = place.routes.get(route);
    if (row === undefined) {
      row = new RouteCells(place, route, this.#sharedTimes(place, route));
      place.routes.set(route, row);
    }
    return row;
  }

  /** Null: the route gets durations of its own. */
  #sharedTimes(place: PlaceCells, route: string): HistogramCells | null {
    if (route === OVERFLOW_ROUTE) return null;
    if (this.#timedRoutes >= DEFAULTS.metricTimedRoutesMax) return this.#row(place, OVERFLOW_ROUTE).times;
    this.#timedRoutes++;
    return null;
  }

  #newCell(row: RouteCells, key: number, status: number, reason: Reason | null): Cell {
    const full = this.#series >= DEFAULTS.metricSeriesMax;
    const target = full ? this.#row(row.place, OVERFLOW_ROUTE) : row;
    const targetKey = full ? cellKey(METHOD_OTHER, status, reason) : key;
    let cell = target.cells.get(targetKey);
    if (cell === undefined) {
      cell = new Cell();
      target.cells.set(targetKey, cell);
      this.#series++;
    }
    return cell;
  }
}

function cellKey(methodAt: number, status: number, reason: Reason | null): number {
  const statusClass = status >= 100 && status < 600 ? (status / 100) | 0 : 0;
  const reasonAt = reason === null ? 0 : (REASON_AT.get(reason) ?? 0);
  return (reasonAt * METHODS.length + methodAt) * STATUS_CLASSES.length + statusClass;
}

function describe(row: RouteCells, key: number, value: number): RequestSeries {
  const statusClass = STATUS_CLASSES[key % STATUS_CLASSES.length] ?? "other";
  const rest = Math.floor(key / STATUS_CLASSES.length);
  const method = METHODS[rest % METHODS.length] ?? "other";
  const reason = REASON_LIST[Math.floor(rest / METHODS.length) - 1];
  const source = reason === undefined ? "none" : REASONS[reason].source;
  const { listener, upstream } = row.place;
  return { listener, upstream, route: row.route, method, statusClass, reason: reason ?? "none", source, value };
}
