import { REASONS, type Reason, type ReasonSource } from "../decision/reason.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { Cell } from "./cells.ts";

/** Methods that are a label value of their own; a client can invent others, so those share `other`. */
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "other"] as const;
const METHOD_AT: ReadonlyMap<string, number> = new Map(METHODS.map((method, at) => [method, at]));
const METHOD_OTHER = METHODS.length - 1;

const REASON_LIST = Object.keys(REASONS) as readonly Reason[];
/** 0 is `none`: the service's own answer. */
const REASON_AT: ReadonlyMap<string, number> = new Map(REASON_LIST.map((reason, at) => [reason, at + 1]));

const STATUS_CLASSES = ["other", "1xx", "2xx", "3xx", "4xx", "5xx"] as const;

/** The route of combinations beyond `metricSeriesMax`. */
const OVERFLOW_ROUTE = "overflow";

export interface RequestSeries {
  readonly listener: string;
  readonly route: string;
  readonly method: string;
  readonly statusClass: string;
  readonly reason: Reason | "none";
  readonly source: ReasonSource | "none";
  readonly value: number;
}

/** The cells of one listener and route, by method, status class and reason. */
class RouteCells {
  readonly listener: string;
  readonly route: string;
  readonly cells: Map<number, Cell> = new Map();

  constructor(listener: string, route: string) {
    this.listener = listener;
    this.route = route;
  }
}

/**
 * Requests by listener, route, method, status class and reason. A client chooses only the method and what goes wrong,
 * both from closed lists; routes come from policies, and those of policies past leave with `retain`.
 */
export class RequestCells {
  readonly #byListener = new Map<string, Map<string, RouteCells>>();
  #last = new RouteCells("", "");
  #series = 0;

  count(listener: string, route: string, method: string, status: number, reason: Reason | null): void {
    const last = this.#last;
    const row = last.route === route && last.listener === listener ? last : this.#row(listener, route);
    this.#last = row;
    const key = cellKey(METHOD_AT.get(method) ?? METHOD_OTHER, status, reason);
    const cell = row.cells.get(key);
    if (cell !== undefined) cell.value++;
    else this.#newCell(row, key, status, reason).value++;
  }

  /** Forgets routes and listeners that the given policies do not have, so that many reloads cannot fill memory. */
  retain(listeners: ReadonlySet<string>, routes: ReadonlySet<string>): void {
    for (const [listener, byRoute] of this.#byListener) {
      for (const [route, row] of byRoute) {
        if (listeners.has(listener) && (routes.has(route) || route === OVERFLOW_ROUTE)) continue;
        byRoute.delete(route);
        this.#series -= row.cells.size;
      }
      if (byRoute.size === 0) this.#byListener.delete(listener);
    }
    this.#last = new RouteCells("", "");
  }

  *series(): Generator<RequestSeries> {
    for (const byRoute of this.#byListener.values()) {
      for (const row of byRoute.values()) {
        for (const [key, cell] of row.cells) yield describe(row, key, cell.value);
      }
    }
  }

  #row(listener: string, route: string): RouteCells {
    let byRoute = this.#byListener.get(listener);
    if (byRoute === undefined) {
      byRoute = new Map();
      this.#byListener.set(listener, byRoute);
    }
    let row = byRoute.get(route);
    if (row === undefined) {
      row = new RouteCells(listener, route);
      byRoute.set(route, row);
    }
    return row;
  }

  #newCell(row: RouteCells, key: number, status: number, reason: Reason | null): Cell {
    const full = this.#series >= DEFAULTS.metricSeriesMax;
    const target = full ? this.#row(row.listener, OVERFLOW_ROUTE) : row;
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
  return { listener: row.listener, route: row.route, method, statusClass, reason: reason ?? "none", source, value };
}
