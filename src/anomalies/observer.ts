import { REASONS, type Reason } from "../decision/reason.ts";
import type { Place } from "../decision/verdict.ts";
import { type Address, isAddressless, networkText } from "../message/address.ts";
import type { Exchange } from "../message/exchange.ts";
import type { RequestObserver } from "../records/decision-records.ts";
import type { FinishedRequest } from "../records/make-facts.ts";
import { placeText } from "../records/step.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { maskCredentials } from "../support/mask-tokens.ts";
import { logText } from "../telemetry/log-text.ts";
import { type Actor, HoursUse } from "./actor.ts";
import type { AnomalyBook } from "./book.ts";
import { SCANNED } from "./judge-service.ts";
import { type OperationWatch, remember } from "./operation-watch.ts";
import type { SpreadWatch } from "./service-watch.ts";
import { hashNumber, hashText } from "./text-hash.ts";

/** A route of the policy, as far as it is watched. */
export interface WatchedRoute {
  /** The same over reloads, and of no other route. */
  readonly key: string;
  readonly template: string;
}

/** What the policy says of credentials. */
export interface CredentialPlaces {
  /** Reasons of credentials that are not good. */
  readonly guesses: ReadonlySet<Reason>;
  /** Headers in which they stand, in lower case. */
  readonly headers: readonly string[];
}

/** The operations of one route, by method. */
interface RouteOperations {
  readonly route: WatchedRoute;
  readonly policy: string | null;
  /** What is below it is not declared one by one. */
  readonly isWild: boolean;
  readonly byMethod: Map<string, OperationWatch | null>;
}

/** From how many different ones on somebody is looked at, soon and in the long run; `watches`: the same over all addresses. */
interface Many {
  readonly least: number;
  readonly leastLong: number;
  readonly watches: readonly SpreadWatch[];
}

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"]);
const UNMATCHED: WatchedRoute = { key: "unmatched", template: "unmatched" };
/** A caller's or address's weight in a full table. */
const WEIGHT_MAX = 64;
/** Whoever may be told of at the highest sensitivity is looked at. */
const HALF = 0.5;

/** What one policy's requests add to the book: some counts each, and no text is kept of them. */
export class AnomalyObserver implements RequestObserver {
  readonly #book: AnomalyBook;
  readonly #routes: ReadonlyMap<Place, WatchedRoute>;
  readonly #credentials: CredentialPlaces;
  readonly #learnMs: number;
  readonly #clock: Pick<Clock, "wallMs">;
  /** Null for what no route has, as a page of postern's own. */
  readonly #operations = new Map<Place | null, RouteOperations | null>();

  constructor(
    book: AnomalyBook,
    routes: ReadonlyMap<Place, WatchedRoute>,
    credentials: CredentialPlaces,
    learnMs: number,
    clock: Pick<Clock, "wallMs">,
  ) {
    this.#book = book;
    this.#routes = routes;
    this.#credentials = credentials;
    this.#learnMs = learnMs;
    this.#clock = clock;
  }

  observe(finished: FinishedRequest, place: Place | null): void {
    let route = this.#operations.get(place);
    if (route === undefined) route = this.#open(place);
    if (route === null) return;
    const { exchange } = finished;
    let operation = route.byMethod.get(exchange.method);
    if (operation === undefined) operation = this.#openMethod(route, exchange.method);
    if (operation === null) return;
    const nowMs = this.#clock.wallMs();
    const isMissing = finished.upstreamMs >= 0 && (finished.status === 404 || finished.status === 410);
    this.#ofOperation(operation, finished, isMissing);
    const address = this.#addressOf(exchange.clientAddress, finished, nowMs);
    const caller = this.#callerOf(finished, operation, nowMs);
    this.#ofClient(finished, address, caller, isMissing && route.isWild ? operation : null, route, nowMs);
    const asks = caller ?? address;
    if (exchange.params.length > 0 && asks !== null) {
      this.#ofObject(finished, operation, asks, asks === caller, isMissing);
    }
  }

  #ofOperation(operation: OperationWatch, finished: FinishedRequest, isMissing: boolean): void {
    const { id, status, denied, upstreamMs } = finished;
    if (!operation.isTouched) this.#book.touch(operation);
    operation.requests++;
    operation.lastId = id;
    if (status >= 500) {
      operation.failed++;
      remember(operation.failedIds, id);
    }
    if (isMissing) {
      operation.missed++;
      remember(operation.missedIds, id);
    }
    if (upstreamMs >= 0) operation.took(upstreamMs);
    if (denied) return;
    if (status < 400) this.#book.service.allowedCame++;
    const isLong = operation.requestSize.see(finished.requestBodyBytes);
    if (operation.responseSize.see(finished.responseBodyBytes) || isLong) remember(operation.sizeIds, id);
  }

  /** Null for who has no address, and stands for many. */
  #addressOf(address: Address, { id }: FinishedRequest, nowMs: number): Actor | null {
    if (isAddressless(address)) return null;
    const { seed } = this.#book;
    const key =
      address.family === 4
        ? address.w0
        : (1 + (hashNumber(seed, address.w0) & 0xfffff)) * 2 ** 32 + hashNumber(seed ^ address.w0, address.w1);
    const actor = this.#book.address(key, () => networkText(address, 64), nowMs);
    actor.see(nowMs, this.#learnMs);
    actor.lastId = id;
    return actor;
  }

  #callerOf(finished: FinishedRequest, operation: OperationWatch, nowMs: number): Actor | null {
    const { exchange, id, denied, status } = finished;
    const { principal } = exchange;
    if (principal === null || principal.type === "anonymous") return null;
    const name = (): string => callerName(principal.key);
    const actor = this.#book.caller(principal.key, name, nowMs);
    actor.see(nowMs, this.#learnMs);
    actor.lastId = id;
    const { seed } = this.#book;
    if (!isAddressless(exchange.clientAddress)) {
      const networks = actor.short.tally("networks");
      const { family, w0, w1 } = exchange.clientAddress;
      const network = family === 4 ? hashNumber(seed, w0 >>> 8) : hashNumber(seed ^ w0, w1 >>> 16);
      if (networks.mark(network, id) && networks.figure >= DEFAULTS.anomalyNetworksMin * HALF)
        this.#suspect(actor, true);
    }
    actor.hours ??= new HoursUse();
    if (actor.hours.see(nowMs)) this.#suspect(actor, true);
    if (denied || status >= 400) return actor;
    if (actor.hash < 0) actor.hash = hashText(seed, principal.key);
    const { callers } = operation;
    if (!callers.isOpen && !callers.known.has(actor.hash)) {
      const isUnexpected = callers.isUnexpected(actor.hash, nowMs, this.#learnMs, this.#newCallerFactor);
      if (isUnexpected && operation.newCallers.length < DEFAULTS.anomalyCallersMax) {
        operation.newCallers.push({ caller: actor.name, id });
      }
    }
    return actor;
  }

  get #newCallerFactor(): number {
    return this.#book.inForce?.settings.factors.new_caller ?? 1;
  }

  /** What is refused or not there. `wild`: the operation, where its route takes any path below it and the service has nothing. */
  #ofClient(
    finished: FinishedRequest,
    address: Actor | null,
    caller: Actor | null,
    wild: OperationWatch | null,
    route: RouteOperations,
    nowMs: number,
  ): void {
    const { exchange, id, reason, denied, status, upstreamMs } = finished;
    const isRefused = denied && reason !== null && REASONS[reason].source === "client" && status !== 499;
    if (!isRefused && wild === null && (status !== 401 || upstreamMs < 0)) return;
    const { seed, service } = this.#book;
    if (isRefused) {
      const who = caller ?? address;
      service.reason(reason).see(who?.name ?? finished.clientAddress, who !== null && who === caller, id);
      if (who !== null) {
        who.lastReason = reason;
        who.short.tally("denials").mark(null, id);
        if (who.short.tally("denials").figure >= DEFAULTS.anomalyCallerDenialsMin * HALF) {
          this.#suspect(who, who === caller);
        }
      }
    }
    const isFailure = isRefused ? this.#credentials.guesses.has(reason) : wild === null;
    if (isFailure) this.#failed(exchange, address, id, nowMs);
    else if (wild !== null || (isRefused && (SCANNED.has(reason) || status === 403))) {
      const isOwn = wild === null && route.route !== UNMATCHED;
      this.#missed(hashText(seed, isOwn ? route.route.key : exchange.target.path), address, id);
    }
  }

  #missed(path: number, address: Actor | null, id: string): void {
    if (address === null) return;
    const { anomalyPathsMin: least, anomalyPathsLongMin: leastLong } = DEFAULTS;
    this.#mark(address, "paths", path, id, { least, leastLong, watches: this.#book.service.scans });
  }

  /** A credential that is not good, of postern's own authenticators or, as at a login, of the service's. */
  #failed(exchange: Exchange, address: Actor | null, id: string, nowMs: number): void {
    if (address === null) return;
    const { anomalyIdentitiesMin: least, anomalyIdentitiesLongMin: leastLong } = DEFAULTS;
    const identity = this.#identityOf(exchange, nowMs);
    this.#mark(address, "identities", identity, id, { least, leastLong, watches: this.#book.service.guesses });
  }

  /** One more of many different ones, at the address and, where that is not many alone, in the whole. */
  #mark(address: Actor, of: "paths" | "identities", value: number, id: string, many: Many): void {
    const short = address.short.tally(of);
    const long = address.long.tally(of);
    const isNewShort = short.mark(value, id);
    const isNew = long.mark(value, id) || isNewShort;
    address.weight = Math.min(WEIGHT_MAX, address.weight + 1);
    if (isNew && (short.figure >= many.least * HALF || long.figure >= many.leastLong * HALF)) {
      this.#suspect(address, false);
    }
    // Who is told of already is not many.
    if (short.isAnomalous || long.isAnomalous) return;
    for (const watch of many.watches) watch.see(value, hashText(this.#book.seed, address.name), id);
  }

  /** Whose credential it says to be; at a login of the service's own each try is another. Nothing but a hash is kept of it. */
  #identityOf({ account, headers, method }: Exchange, nowMs: number): number {
    const { seed } = this.#book;
    if (account !== null) return hashText(seed, account);
    let identity = seed;
    let isThere = false;
    for (const name of this.#credentials.headers) {
      const value = headers.get(name);
      if (value === undefined) continue;
      identity = hashText(identity, value);
      isThere = true;
    }
    if (isThere || method !== "POST") return identity >>> 0;
    this.#tries = (this.#tries + 1) % 2 ** 31;
    return hashNumber(seed ^ this.#tries, Math.floor(nowMs / 1000) >>> 0);
  }

  #tries = 0;

  #ofObject(
    finished: FinishedRequest,
    operation: OperationWatch,
    asks: Actor,
    isCaller: boolean,
    isMissing: boolean,
  ): void {
    const { exchange, status, denied, id } = finished;
    const isForbidden = status === 403;
    // A limit or a missing credential says nothing of the object.
    if (denied && !isForbidden) return;
    const { params } = exchange;
    const { seed } = this.#book;
    const last = params[params.length - 1] ?? "";
    let hash = hashText(seed, last);
    for (let at = 0; at < params.length - 1; at++) hash = hashText(hash, params[at] ?? "");
    const use = isCaller
      ? this.#book.callers.objectsOf(asks, operation)
      : this.#book.addresses.objectsOf(asks, operation);
    if (use === null) return;
    const isNew = use.see(hash, last.length <= 15 ? Number(last) : Number.NaN, isMissing || isForbidden, id);
    const { anomalyMissingMin, anomalyMissingLongMin } = DEFAULTS;
    if (isNew && (use.short.figure >= anomalyMissingMin * HALF || use.long.figure >= anomalyMissingLongMin * HALF)) {
      this.#suspect(asks, isCaller);
    }
  }

  #suspect(actor: Actor, isCaller: boolean): void {
    if (!actor.isSuspect) this.#book.suspect(actor, isCaller);
  }

  #open(place: Place | null): RouteOperations | null {
    const route = place === null ? UNMATCHED : this.#routes.get(place);
    const isWild = route !== undefined && (route === UNMATCHED || route.template.endsWith("/**"));
    const operations = route === undefined ? null : { route, policy: placeText(place), isWild, byMethod: new Map() };
    this.#operations.set(place, operations);
    return operations;
  }

  /** A client may write any word for a method. */
  #openMethod(route: RouteOperations, method: string): OperationWatch | null {
    const name = METHODS.has(method) ? method : "OTHER";
    const { key, template } = route.route;
    const watch = this.#book.operation(`${name} ${key}`, `${name} ${template}`, route.policy);
    if (name === method) route.byMethod.set(method, watch);
    return watch;
  }
}

/**
 * A caller's name comes from its credential, and is shown on terminals. Of providers whose ids look like tokens all callers would be
 * one if these were masked.
 */
function callerName(key: string): string {
  return logText(maskCredentials(key), DEFAULTS.anomalyNameCharsMax).replace(/[\x00-\x1f]/g, "�");
}
