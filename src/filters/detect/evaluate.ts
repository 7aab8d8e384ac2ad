import { basename } from "node:path";
import { boundaryOf } from "../../bodies/boundary.ts";
import { CONTINUE, Denial, type Place, type Verdict } from "../../decision/verdict.ts";
import { type BodyFacts, NO_BODY, type RequestFacts } from "../../detection/facts.ts";
import type { RouteRules } from "../../detection/rules/rule-set.ts";
import type { Transaction } from "../../detection/rules/transaction.ts";
import type { BodyWatch } from "../../message/body-watch.ts";
import type { DetectNote } from "../../message/detect-notes.ts";
import type { Exchange } from "../../message/exchange.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { Steps } from "../../support/turns.ts";
import type { Check } from "../filter.ts";
import { type HoldRules, judgeAtOnceOrInLine, judgeHeld, judgeInSteps, type Part } from "../validate/held-body.ts";
import type { SyncPart } from "../validate/parameter-parts.ts";
import { bodyFacts, isOfMessages, wayOf } from "./body-facts.ts";
import { headFacts, typeOf } from "./head-facts.ts";
import { HiddenJsonWatch } from "./hidden-json-watch.ts";
import { noteHits, type Search } from "./hits.ts";
import { type JudgeFacts, PartsWatch } from "./parts-watch.ts";
import type { ValueShapes } from "./value-shapes.ts";

/** What one detector does on one route. */
export interface DetectRules {
  /** Its name in the policy. */
  readonly detector: string;
  readonly rules: RouteRules;
  readonly shapes: ValueShapes;
  /** Names of the route's `{parameters}`, from left to right. */
  readonly pathNames: readonly string[];
  readonly searchBytesMax: number;
  /** A request with more to search is refused, and not searched as far as that goes. */
  readonly refusesBeyond: boolean;
  readonly threshold: number;
  readonly place: Place;
  readonly hold: HoldRules;
  /** Compressed bodies cannot be searched. */
  readonly encoding: SyncPart;
}

/** By request; its answer goes on with the same. */
export type Searches = WeakMap<Exchange, Search>;

/** `detect`: behind all that is judged of a request, for it reads what the others have let through. */
export class DetectCheck implements Check {
  readonly name = "detect";
  readonly phase = "validate";
  readonly late = true;
  readonly dropsTrailers: boolean;
  readonly place: Place;
  readonly enforcePercent: number;
  readonly #rules: DetectRules;
  readonly #searches: Searches;
  readonly #judgeBody: Part;

  constructor(rules: DetectRules, enforcePercent: number, searches: Searches) {
    this.#rules = rules;
    this.#searches = searches;
    this.place = rules.place;
    this.enforcePercent = enforcePercent;
    this.dropsTrailers = enforcePercent > 0;
    this.#judgeBody = judgeHeld(rules.hold, (bytes, exchange) => this.#judgeWhole(bytes, exchange));
  }

  evaluate(exchange: Exchange): Verdict | Promise<Verdict> {
    const { hold } = this.#rules;
    const facts = this.#facts(exchange);
    const search = this.#begin(facts);
    this.#searches.set(exchange, search);
    const head = judgeAtOnceOrInLine(exchange, hold, 0, this.#head(search, exchange, facts.argsGet.length));
    if (head instanceof Promise) return head.then((verdict) => verdict ?? this.#body(exchange));
    return head ?? this.#body(exchange);
  }

  /** Who searches a body as it streams: parts of a form, and JSON where nobody looks for any; null for any other. */
  watch(exchange: Exchange): BodyWatch | null {
    const search = this.#searches.get(exchange);
    if (search === undefined || exchange.collectedBody !== null || exchange.body.announcedBytes === 0) return null;
    const type = typeOf(exchange);
    const way = wayOf(type);
    if (way === "none" && !isOfMessages(type)) {
      const { refusesBeyond } = this.#rules;
      return new HiddenJsonWatch(this.place, refusesBeyond, (bytes) => this.#judgeWhole(bytes, exchange));
    }
    const boundary = boundaryOf(exchange.headers.get("content-type") ?? "");
    if (boundary === null || way !== "stream") return null;
    const early: JudgeFacts = (facts, bytes) => this.#lookEarly(exchange, facts, bytes);
    return this.#watchParts(exchange, search, boundary, early);
  }

  searches(): { readonly detector: string; readonly rules: number; readonly searched: number } {
    return { detector: this.#rules.detector, ...this.#rules.rules.share };
  }

  explain(exchange: Exchange): string {
    const { rules, detector, threshold } = this.#rules;
    const notes = (exchange.detected?.first ?? []).filter(
      (note) => note.detector === detector && note.way === "request",
    );
    const score = this.#searches.get(exchange)?.transaction.score ?? 0;
    const told = notes.map(hitText);
    const { share } = rules;
    const left = `${share.searched} of ${share.rules} searches are left in values that its contract describes`;
    return [`score ${score} of ${threshold}, ${share.rules === 0 ? "all rules run here" : left}`, ...told].join("; ");
  }

  #facts(exchange: Exchange): RequestFacts {
    return headFacts(exchange, this.#rules.pathNames, this.#rules.shapes);
  }

  #begin(facts: RequestFacts): Search {
    const { rules, searchBytesMax } = this.#rules;
    const transaction = rules.begin(facts, {
      bytes: searchBytesMax,
      patterns: DEFAULTS.detectPatternsMax,
      steps: DEFAULTS.detectStepsMax,
    });
    return { transaction, noted: 0 };
  }

  *#head(search: Search, exchange: Exchange, values: number): Steps<Verdict> {
    yield* search.transaction.head();
    return this.#verdict(search, exchange) ?? this.#tooMany(values);
  }

  #body(exchange: Exchange): Verdict | Promise<Verdict> {
    const type = typeOf(exchange);
    const way = wayOf(type);
    const isHere = exchange.collectedBody !== null;
    const { announcedBytes } = exchange.body;
    if (announcedBytes === 0 && !isHere) return this.#noBody(exchange);
    if (way === "none") return isHere || isOfMessages(type) ? this.#noBody(exchange) : this.#beforeBody(exchange);
    if (way === "stream" && !isHere) return this.#rules.encoding(exchange) ?? this.#beforeBody(exchange);
    return this.#rules.encoding(exchange) ?? this.#judgeBody(exchange);
  }

  /**
   * A service may act on the head of a body that streams, so that all rules see the head first. By a search of its own: what they
   * find counts once, when the body is over.
   */
  #beforeBody(exchange: Exchange): Verdict | Promise<Verdict> {
    return this.#lookEarly(exchange, NO_BODY, 0);
  }

  /** The same with what has come of a body, before more of it goes on. */
  #lookEarly(exchange: Exchange, facts: BodyFacts, bytes: number): Verdict | Promise<Verdict> {
    const early = this.#begin(this.#facts(exchange));
    return judgeAtOnceOrInLine(exchange, this.#rules.hold, bytes, this.#early(early, exchange, facts));
  }

  *#early(early: Search, exchange: Exchange, facts: BodyFacts): Steps<Verdict> {
    const { transaction } = early;
    yield* transaction.head();
    yield* transaction.body(facts);
    if (transaction.blockedBy === null) return CONTINUE;
    early.noted = this.#searches.get(exchange)?.noted ?? 0;
    this.#searches.set(exchange, early);
    return this.#verdict(early, exchange);
  }

  /** Rules of the body's phase look at the head as well, and add up what was found. */
  #noBody(exchange: Exchange): Verdict | Promise<Verdict> {
    const search = this.#searches.get(exchange);
    if (search === undefined) return CONTINUE;
    return judgeAtOnceOrInLine(exchange, this.#rules.hold, 0, this.#bodyOf(search, exchange, NO_BODY));
  }

  *#bodyOf(search: Search, exchange: Exchange, facts: BodyFacts): Steps<Verdict> {
    yield* search.transaction.body(facts);
    return this.#verdict(search, exchange) ?? this.#tooMany(facts.args.length);
  }

  #judgeWhole(bytes: Buffer, exchange: Exchange): Verdict | Promise<Verdict> {
    const search = this.#searches.get(exchange);
    if (search === undefined) return CONTINUE;
    const boundary = boundaryOf(exchange.headers.get("content-type") ?? "");
    if (wayOf(typeOf(exchange)) === "stream" && boundary !== null) {
      const watch = this.#watchParts(exchange, search, boundary, null);
      const scanned = watch.scan(bytes);
      return scanned instanceof Denial ? scanned : watch.end();
    }
    return judgeInSteps(exchange, this.#rules.hold, bytes.length, this.#whole(bytes, search, exchange));
  }

  *#whole(bytes: Buffer, search: Search, exchange: Exchange): Steps<Verdict> {
    const facts = yield* bodyFacts(bytes, exchange, this.#rules.shapes);
    if (!facts.ok) {
      const { reason, seen, wanted } = facts.error;
      return new Denial(reason, this.place, seen, wanted);
    }
    return yield* this.#bodyOf(search, exchange, facts.value);
  }

  #watchParts(exchange: Exchange, search: Search, boundary: string, early: JudgeFacts | null): PartsWatch {
    const judge: JudgeFacts = (facts, bytes) =>
      judgeAtOnceOrInLine(exchange, this.#rules.hold, bytes, this.#bodyOf(search, exchange, facts));
    return new PartsWatch(boundary, this.place, this.#rules.shapes, judge, early);
  }

  /** Whoever reads the values stops behind the first that is too many. */
  #tooMany(values: number): Verdict {
    if (values <= DEFAULTS.detectValuesMax || !this.#rules.refusesBeyond) return CONTINUE;
    return new Denial("search_limit_exceeded", this.place, "more values", `at most ${DEFAULTS.detectValuesMax} values`);
  }

  #verdict(search: Search, exchange: Exchange): Verdict {
    const { detector, threshold, searchBytesMax, refusesBeyond } = this.#rules;
    const { transaction } = search;
    noteHits(exchange, search, detector, "request");
    if (transaction.blockedBy !== null) return attack(transaction, threshold, this.place);
    if (!transaction.overBudget || !refusesBeyond) return CONTINUE;
    const wanted = `at most ${searchBytesMax} bytes of values that rules have to search`;
    return new Denial("search_limit_exceeded", this.place, "more to search", wanted);
  }
}

function attack({ hits, score, blockedBy }: Transaction, threshold: number, place: Place): Denial {
  // Below the threshold it was no score, but a rule of one's own that denies.
  const isScore = score >= threshold;
  const scored = isScore ? hits.filter((hit) => hit.score > 0) : [];
  const told = (scored.length > 0 ? scored : blockedBy === null ? [] : [blockedBy]).slice(0, TOLD_MAX);
  const rules = told.map(({ target, place: { file, line }, ...hit }) =>
    hitText({ ...hit, field: target, file: basename(file), line }),
  );
  const more = scored.length > TOLD_MAX ? ` and ${scored.length - TOLD_MAX} more` : "";
  return new Denial(
    "attack_detected",
    place,
    `score ${score}: ${rules.join("; ")}${more}`,
    isScore ? `a score below ${threshold}` : "no match of a rule that denies",
  );
}

function hitText({ id, message, field, score, file, line }: Omit<DetectNote, "detector" | "way">): string {
  const name = message === "" ? `${id}` : `${id} ${message}`;
  return `${name} in ${field}${score > 0 ? `, score ${score}` : ""} (${file}:${line})`;
}

const TOLD_MAX = 3;
