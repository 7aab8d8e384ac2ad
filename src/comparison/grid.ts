import { USUAL_METHODS } from "../message/method.ts";
import type { SupposedCertificate } from "../rehearsal/supposed-certificate.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { ANYTHING, type Atom, both, type Conjunct, type Trials } from "./atoms.ts";
import { type BodyContext, usualBody } from "./bodies.ts";
import { Certificates, certificateWith } from "./certificates.ts";
import { type Context, contextsOf, hostsOf, middleOf, pathsOf, usualParam } from "./contexts.ts";
import { type Caller, callersAt, type Identity, identityOf, NOBODY } from "./identities.ts";
import { pathOf, StaticSegments } from "./paths.ts";
import { type RuleWorld, ruleTrials } from "./rule-trials.ts";
import { settingsOf } from "./settings.ts";
import type { Place, PlacedRoute, Side, SidedRoute } from "./sides.ts";
import { timeWith } from "./times.ts";
import { USUAL_CLIENT, type Witness } from "./witness.ts";

/** No service has it, and no policy names it unless it means to. */
const UNNAMED_METHOD = "PROPFIND";

/** Who asks, with what of the request a rule wants beside it. */
interface Asker {
  readonly identity: Identity;
  readonly wanted: Conjunct;
  readonly certificate: SupposedCertificate | null;
}

/** Who asks, with what, and when, wherever it is. */
interface Askers {
  readonly callers: readonly Caller[];
  /** Whom else to try everywhere. */
  readonly further: readonly Identity[];
  readonly certificates: Certificates;
  /** Unix milliseconds of the comparison. */
  readonly nowMs: number;
}

/** Makes the requests of one place after the other. */
export class Grid {
  /** Requests of ways to meet a rule, one by one, that were not tried, for a place has too many. */
  leftOut = 0;
  readonly #sides: readonly Side[];
  readonly #asking: Askers;
  readonly #segments: StaticSegments;
  readonly #numbers = new Map<PlacedRoute, number>();

  constructor(sides: readonly Side[], asking: Omit<Askers, "certificates">) {
    this.#sides = sides;
    this.#asking = { ...asking, certificates: new Certificates(sides) };
    this.#segments = new StaticSegments(sides);
  }

  /** Those that differ from the middle of the place in nothing but who asks, how and where come first. */
  *witnesses(place: Place): Generator<Witness> {
    const usual = usualParam(place);
    const middle = middleOf(place);
    const { nowMs } = this.#asking;
    const spots = this.#spots(place, middle.host, usual);
    const witnesses = function* (spot: Spot, context: Context): Generator<Witness> {
      const { host, path } = spot;
      const there = { ...context, ...(host === undefined ? {} : { host }), ...(path === undefined ? {} : { path }) };
      for (const method of spot.methods) {
        const usualBody = spot.bodies.get(method);
        const around =
          usualBody === undefined
            ? middle
            : { ...usualBody, ...middle, headers: { ...usualBody.headers, ...middle.headers } };
        for (const asker of spot.askers) yield witnessOf(place.template, usual, method, asker, around, there, nowMs);
      }
    };
    for (const spot of spots) yield* witnesses(spot, {});
    for (const spot of spots) {
      for (const context of spot.contexts) yield* witnesses(spot, context);
    }
  }

  /** The place's middle, and where else its requests may come to; what else is tried of them once for all that have the same routes. */
  #spots(place: Place, middleHost: string | undefined, usual: (name: string) => string): readonly Spot[] {
    const base = pathOf(place.template, usual);
    const known = new Map<string, Pick<Spot, "methods" | "askers" | "bodies">>();
    const spots: Spot[] = [];
    const add = (host: string | undefined, path: string | undefined): void => {
      const found = this.#routesAt(place, host ?? middleHost ?? "localhost", path ?? base);
      const key = found.map(({ placed }) => this.#number(placed)).join();
      const before = known.get(key);
      if (before !== undefined) {
        spots.push({ host, path, ...before, contexts: [] });
        return;
      }
      const there = {
        ...place,
        routes: [...new Map([...place.routes, ...found].map((one) => [one.placed, one])).values()],
      };
      const methods = methodsOf(there);
      const { askers, leftOut } = askersOf(there, this.#asking);
      this.leftOut += leftOut * methods.length;
      const asked = { methods, askers, bodies: bodiesOf(there, methods) };
      known.set(key, asked);
      spots.push({ host, path, ...asked, contexts: contextsOf(there, this.#asking.nowMs) });
    };
    for (const host of [undefined, ...hostsOf(place)]) add(host, undefined);
    for (const path of pathsOf(place, this.#segments.meetings(place.template, usual))) add(undefined, path);
    return spots;
  }

  /** Which routes of either policy judge this path, by any of the methods that are tried. */
  #routesAt(place: Place, host: string, path: string): readonly SidedRoute[] {
    return this.#sides.flatMap((side) =>
      methodsOf(place).flatMap((method): SidedRoute[] => {
        const placed = side.routeAt(host, method, path);
        return placed === null ? [] : [{ side, placed }];
      }),
    );
  }

  #number(placed: PlacedRoute): number {
    const number = this.#numbers.get(placed) ?? this.#numbers.size;
    this.#numbers.set(placed, number);
    return number;
  }
}

/** Where requests of a place come to, and how. */
interface Spot {
  /** Undefined: those of the middle. */
  readonly host: string | undefined;
  readonly path: string | undefined;
  readonly methods: readonly string[];
  readonly askers: readonly Asker[];
  /** Method → a body that is taken; none for methods of which no rule speaks. */
  readonly bodies: ReadonlyMap<string, BodyContext>;
  readonly contexts: readonly Context[];
}

function bodiesOf(place: Place, methods: readonly string[]): ReadonlyMap<string, BodyContext> {
  return new Map(
    methods.flatMap((method) => {
      const body = usualBody(place, method);
      return body === null ? [] : [[method, body]];
    }),
  );
}

function methodsOf({ routes }: Place): readonly string[] {
  const named = routes.flatMap(({ placed }) => placed.route.methods);
  const isUsual = routes.some(({ placed }) => placed.route.methods.length === 0);
  return [...new Set([...named, ...(isUsual ? USUAL_METHODS : ["GET", "POST"]), UNNAMED_METHOD])];
}

function askersOf(
  place: Place,
  { callers: known, further, certificates, nowMs }: Askers,
): { readonly askers: readonly Asker[]; readonly leftOut: number } {
  const { first, all } = conjunctsOf(place, { nowMs, callers: namesOf(known) });
  const callers = callersAt(known, all.slice(0, first));
  const named = new Set(place.routes.flatMap(({ side, placed }) => authenticatorsOf(side, placed)));
  const askers = new Map<string, Asker>();
  const leftOut = new Set<string>();
  const add = (identity: Identity, conjunct: Conjunct, shown = certificates.usual, isFirst = true): void => {
    const wanted = conjunct.filter(
      ({ at }) => at !== "scope" && at !== "claim" && at !== "caller" && at !== "certificate",
    );
    const certificate = certificateWith(shown, conjunct, certificates.areAsked);
    const key = JSON.stringify([identity.as, wanted, certificate]);
    if (askers.size < DEFAULTS.diffAskersMax || askers.has(key)) askers.set(key, { identity, wanted, certificate });
    else if (isFirst) leftOut.add(key);
  };
  add(NOBODY, [], null);
  for (const identity of [NOBODY, ...further]) add(identity, []);
  const addAll = (conjuncts: readonly Conjunct[], isFirst: boolean): void => {
    for (const conjunct of conjuncts) {
      for (const { authenticator, certificate } of certificates.shown)
        if (named.has(authenticator)) add(NOBODY, conjunct, certificate, isFirst);
      for (const caller of callers) {
        if (!named.has(caller.authenticator)) continue;
        const identity = identityOf(caller, conjunct);
        if (identity !== null) add(identity, conjunct, certificates.usual, isFirst);
      }
    }
  };
  addAll(all.slice(0, first), true);
  for (const caller of callers) if (!named.has(caller.authenticator)) add(identityOf(caller, []) ?? NOBODY, []);
  addAll(all.slice(first), false);
  return { askers: [...askers.values()], leftOut: leftOut.size };
}

/** Names of `authenticate`, of its groups too. */
function authenticatorsOf({ defaults }: Side, { route, settings }: PlacedRoute): readonly string[] {
  if (route.isPublic) return [];
  const names = (value: unknown): string[] => {
    if (typeof value === "string") return [value];
    if (Array.isArray(value)) return value.flatMap(names);
    const { any, all } = settingsOf(value);
    return any === undefined && all === undefined ? [] : [...names(any ?? []), ...names(all ?? [])];
  };
  const own = names(settings["authenticate"]);
  return own.length > 0 ? own : names(defaults["authenticate"]);
}

/**
 * Combinations of what the rules of both policies ask for: nothing, each way to meet a rule, the same less one thing, with what
 * a rule forbids, and two ways together. Of rules that only ask for things the first show every difference; the others are for
 * rules that forbid. What one policy alone asks for comes first.
 */
function conjunctsOf(place: Place, asking: Asking): { readonly first: number; readonly all: readonly Conjunct[] } {
  const trials = place.routes.map(({ side, placed }) => ({ side, ...routeTrials(place, side, placed, asking) }));
  const meets = ofOneSideFirst(trials.map(({ side, meets: own }) => ({ side, own })));
  const breaks = ofOneSideFirst(trials.map(({ side, breaks: own }) => ({ side, own })));
  const [someMeets, someBreaks] = [meets.slice(0, TOGETHER_MAX), breaks.slice(0, TOGETHER_MAX)];
  const all: Conjunct[] = [
    [],
    ...meets,
    ...someMeets.flatMap((meet) => someBreaks.map((broken) => [...meet, ...broken])),
    ...meets.flatMap((meet) => meet.map((_, at) => meet.toSpliced(at, 1))),
    ...breaks,
    ...someMeets.flatMap((meet, at) => someMeets.slice(at + 1).map((other) => [...meet, ...other])),
    someMeets.flat(),
  ];
  const distinct = new Map(all.map((conjunct) => [keyOf(conjunct), conjunct]));
  return { first: meets.length, all: [...distinct.values()] };
}

type Asking = Pick<RuleWorld, "nowMs" | "callers">;

/** The first of those whom files know. */
function namesOf(callers: readonly Caller[]): readonly string[] {
  const names = callers.flatMap(({ assumed }) =>
    "user" in assumed ? assumed.user : "caller" in assumed ? assumed.caller : [],
  );
  return [...new Set(names)].slice(0, CALLER_NAMES_MAX);
}

const CALLER_NAMES_MAX = 3;

/** Of each side so many are tried two at a time. */
const TOGETHER_MAX = 48;

interface OfSide {
  readonly side: Side;
  readonly own: readonly Conjunct[];
}

/** Each once; where there are more than can be tried, those by which the two policies differ must be among the first. */
function ofOneSideFirst(all: readonly OfSide[]): readonly Conjunct[] {
  const sides = new Map<string, { readonly conjunct: Conjunct; readonly of: Set<Side> }>();
  for (const { side, own } of all) {
    for (const conjunct of own) {
      const key = keyOf(conjunct);
      const known = sides.get(key) ?? { conjunct, of: new Set() };
      sides.set(key, known);
      known.of.add(side);
    }
  }
  return [...sides.values()].toSorted((a, b) => a.of.size - b.of.size).map(({ conjunct }) => conjunct);
}

function keyOf(conjunct: Conjunct): string {
  return [...new Set(conjunct.map((atom: Atom) => JSON.stringify(atom)))].sort().join("\n");
}

function routeTrials(place: Place, side: Side, { route, settings }: PlacedRoute, asking: Asking): Trials {
  if (route.isPublic) return ANYTHING;
  const world = { role: (name: string) => side.section(`roles.${name}`), param: usualParam(place), ...asking };
  const rules = [side.defaults["authorize"], settings["authorize"]].filter((rule) => rule !== undefined);
  return rules.map((rule) => ruleTrials(rule, world)).reduce(both, ANYTHING);
}

function witnessOf(
  template: string,
  usual: (name: string) => string,
  method: string,
  { identity, wanted, certificate }: Asker,
  middle: Context,
  context: Context,
  nowMs: number,
): Witness {
  const params = new Map<string, string>();
  const headers: Record<string, string | null> = { ...middle.headers, ...context.headers };
  const query: Record<string, string | null> = { ...middle.query, ...context.query };
  let client = context.client;
  let asked = method;
  for (const atom of wanted) {
    if (atom.at === "param") params.set(atom.name, atom.value);
    else if (atom.at === "header" && context.headers?.[atom.name] === undefined) headers[atom.name] = atom.value;
    else if (atom.at === "query" && context.query?.[atom.name] === undefined) query[atom.name] = atom.value;
    else if (atom.at === "client") client ??= atom.value;
    else if (atom.at === "method" && method !== UNNAMED_METHOD) asked = atom.value;
  }
  const path = context.path ?? pathOf(template, (name) => params.get(name) ?? usual(name));
  const host = context.host ?? middle.host;
  const pairs = Object.entries(query).filter(([, value]) => value !== null);
  const text = pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value ?? "")}`).join("&");
  const lines = Object.entries(headers).filter(([, value]) => value !== null);
  return {
    method: asked,
    target: text === "" ? path : `${path}?${text}`,
    headers: [...(host === undefined ? [] : [`Host: ${host}`]), ...lines.map(([name, value]) => `${name}: ${value}`)],
    client: client ?? middle.client ?? USUAL_CLIENT,
    identity,
    body: context.body ?? middle.body ?? null,
    certificate,
    atMs: context.atMs ?? timeWith(wanted, nowMs),
  };
}
