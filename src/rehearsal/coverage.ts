import type { Place } from "../decision/verdict.ts";
import type { Check } from "../filters/filter.ts";
import type { ResponseCheck } from "../filters/response-check.ts";
import type { Route, Snapshot } from "../policy/snapshot.ts";

/** What no test has tried, or seen refuse. */
export interface Gap {
  readonly place: Place;
  readonly text: string;
}

export interface Coverage {
  readonly routes: { readonly all: number; readonly tried: number };
  readonly checks: { readonly all: number; readonly tried: number; readonly denied: number };
  /** Checks of answers. Many of them only change an answer, so that none has to deny. */
  readonly answerChecks: { readonly all: number; readonly tried: number };
  /** Of routes tried, checks tried, checks that denied and checks of answers tried; 100 for a policy that has none of them. */
  readonly percent: number;
  /** In the order of the routes. */
  readonly gaps: readonly Gap[];
}

interface Seen {
  readonly name: string;
  readonly place: Place;
  tried: boolean;
  denied: boolean;
}

/** Which routes and checks the tests of a policy have tried. A check of `defaults` is one, whatever routes it stands in. */
export class CoverageNotes {
  readonly #routes = new Map<Route, boolean>();
  readonly #checks = new Map<string, Seen>();
  readonly #byCheck = new Map<Check, Seen>();
  readonly #answerChecks = new Map<string, Seen>();

  constructor({ routeList, admitChecks }: Snapshot) {
    for (const check of admitChecks) this.#know(check);
    for (const route of routeList) {
      this.#routes.set(route, false);
      for (const check of route.checks) this.#know(check);
      for (const check of route.responseChecks) seenIn(this.#answerChecks, check);
    }
  }

  noteRoute(route: Route): void {
    this.#routes.set(route, true);
  }

  noteCheck(check: Check, hasDenied: boolean): void {
    const seen = this.#byCheck.get(check);
    if (seen === undefined) return;
    seen.tried = true;
    if (hasDenied) seen.denied = true;
  }

  noteAnswerCheck(check: ResponseCheck): void {
    seenIn(this.#answerChecks, check).tried = true;
  }

  result(): Coverage {
    const routes = [...this.#routes];
    const checks = [...this.#checks.values()];
    const routesTried = routes.filter(([, tried]) => tried).length;
    const tried = checks.filter((one) => one.tried).length;
    const denied = checks.filter((one) => one.denied).length;
    const answerChecks = [...this.#answerChecks.values()];
    const answersTried = answerChecks.filter((one) => one.tried).length;
    const all = routes.length + 2 * checks.length + answerChecks.length;
    const gaps = [
      ...routes
        .filter(([, isTried]) => !isTried)
        .map(([route]) => gap(route.place, `route ${route.template} was never tried`)),
      ...checks.filter((one) => !one.tried).map(({ place, name }) => gap(place, `${name} was never tried`)),
      ...checks.filter((one) => one.tried && !one.denied).map(({ place, name }) => gap(place, `${name} never denied`)),
      ...answerChecks
        .filter((one) => !one.tried)
        .map(({ place, name }) => gap(place, `${name} was never tried: no test with an 'answer' comes there`)),
    ];
    return {
      routes: { all: routes.length, tried: routesTried },
      checks: { all: checks.length, tried, denied },
      answerChecks: { all: answerChecks.length, tried: answersTried },
      // Rounded down: 100 is all of it.
      percent: all === 0 ? 100 : Math.floor(((routesTried + tried + denied + answersTried) * 100) / all),
      gaps,
    };
  }

  #know(check: Check): void {
    this.#byCheck.set(check, seenIn(this.#checks, check));
  }
}

/** One of a name and a place is one check. */
function seenIn(known: Map<string, Seen>, { name, place }: Pick<Seen, "name" | "place">): Seen {
  const key = `${name} ${place.file}:${place.line}:${place.column}`;
  const seen = known.get(key) ?? { name, place, tried: false, denied: false };
  known.set(key, seen);
  return seen;
}

function gap(place: Place, text: string): Gap {
  return { place, text };
}
