import { mintPermit, type Permit } from "../decision/permit.ts";
import { LASTING_PHASES } from "../decision/phases.ts";
import { CONTINUE, Denial, type Verdict } from "../decision/verdict.ts";
import type { Check } from "../filters/filter.ts";
import type { Shares } from "../filters/ladder.ts";
import type { RouteAnswer } from "../filters/respond/evaluate.ts";
import type { OtherPlace, RouteMatch } from "../matching/route-tree.ts";
import { EMPTY_BODY } from "../message/body.ts";
import type { Exchange } from "../message/exchange.ts";
import { hasNameless, KEPT, type Oddity, plainForms } from "../message/kept-target.ts";
import type { Route, Snapshot } from "../policy/snapshot.ts";
import { excerpt } from "../support/excerpt.ts";
import { type FormSubject, findClient, judgeForm } from "./judge-form.ts";
import { judgeMethodBody, judgeMethodHead, type MethodSubject } from "./method-override.ts";
import { judgeOwnPage, OwnAnswer, type PageSubject } from "./own-page.ts";
import { judgePreflight } from "./preflight.ts";
import { rewriteTarget } from "./rewritten-target.ts";
import { routesFor } from "./routes-for.ts";

/** `explain` looks on through this; requests have none. */
export interface Observer {
  onCheck(check: Check, verdict: Verdict, enforced: boolean): void;
}

/** What is judged, and what the judgement finds on its way. */
export interface Subject extends FormSubject, MethodSubject, PageSubject {
  readonly snapshot: Snapshot;
  readonly exchange: Exchange;
  readonly observer: Observer | null;
  /** For the ladder. */
  readonly shares: Shares;
  /** Set by the match. */
  route: Route | null;
}

/** Which checks are asked: all of them, but where a policy judges beside another. */
export interface CheckChoice {
  admit(snapshot: Snapshot): readonly Check[];
  of(route: Route): readonly Check[];
}

const ALL_CHECKS: CheckChoice = { admit: ({ admitChecks }) => admitChecks, of: ({ checks }) => checks };

export type Outcome = Permit | OwnAnswer | Denial;

/**
 * Walks the phases from `admit` to `validate`. The one place where a Permit is minted: after every check of the route has
 * had its say. Answers at once unless a check has to wait.
 */
export function judge(subject: Subject, choice: CheckChoice = ALL_CHECKS): Outcome | Promise<Outcome> {
  const admitted = admit(subject, choice.admit(subject.snapshot));
  return admitted instanceof Promise
    ? admitted.then((verdict) => goOn(subject, verdict, choice))
    : goOn(subject, admitted, choice);
}

/** What is refused so early is for the pages of all routes to read. */
function goOn(subject: Subject, refused: Verdict, choice: CheckChoice): Outcome | Promise<Outcome> {
  if (refused === CONTINUE) return judgeAdmitted(subject, choice);
  subject.snapshot.unroutedCors?.tell(subject.exchange);
  return refused;
}

/**
 * First who asks, then how: what has no valid reading counts as any other request of its address does, and an address that
 * may send nothing learns nothing from what is wrong with it.
 */
function admit(subject: Subject, checks: readonly Check[]): Verdict | Promise<Verdict> {
  subject.exchange.geo = subject.snapshot.geo;
  const unknown = findClient(subject);
  const verdict = runChecks(subject, checks, 0);
  if (verdict instanceof Promise) return verdict.then((settled) => settled ?? judgeForm(subject, unknown));
  return verdict ?? judgeForm(subject, unknown);
}

/** What postern answers itself needs no route. */
function judgeAdmitted(subject: Subject, choice: CheckChoice): Outcome | Promise<Outcome> {
  return judgeOwnPage(subject) ?? judgePreflight(subject) ?? judgeRoute(subject, choice);
}

function judgeRoute(subject: Subject, choice: CheckChoice): Outcome | Promise<Outcome> {
  const unmatched = matchRoute(subject);
  if (unmatched !== CONTINUE) {
    if (subject.route === null) subject.snapshot.unroutedCors?.tellNamed(subject.exchange);
    return unmatched;
  }
  const verdict = runChecks(subject, subject.route === null ? [] : choice.of(subject.route), 0);
  if (verdict instanceof Promise) return verdict.then((settled) => settled ?? permit(subject));
  return verdict ?? permit(subject);
}

/** A body that announces more than the route takes is refused before a byte of it is asked for. */
function permit(subject: Subject): Outcome | Promise<Outcome> {
  const { body, collectedBody } = subject.exchange;
  // What it says may be many times as large as its bytes, which alone are counted.
  subject.exchange.bodyValue = undefined;
  const { route } = subject;
  if (route !== null && route.targetRewrite !== null) {
    const verdict = rewriteTarget(subject, route, route.targetRewrite);
    if (verdict !== CONTINUE) return verdict;
  }
  if (route !== null && route.answer !== null) return answerOf(subject.exchange, route, route.answer);
  const bytesMax = route?.bodyBytesMax ?? 0;
  if (collectedBody !== null || body.announcedBytes <= bytesMax) {
    const verdict = judgeMethodBody(subject);
    if (collectedBody === null && body !== EMPTY_BODY) beginWatches(subject);
    if (verdict instanceof Promise) return verdict.then((settled) => settled ?? mintPermit());
    return verdict ?? mintPermit();
  }
  const seen = `Content-Length ${body.announcedBytes}`;
  return new Denial("body_too_large", route?.place ?? null, seen, `at most ${bytesMax} bytes`);
}

/** What the route says in place of the service. What else there is of the body nobody reads. */
function answerOf(exchange: Exchange, route: Route, answer: RouteAnswer): OwnAnswer | Denial {
  const { query } = exchange.target;
  const given = answer.give(exchange, route.rewriteQuery?.(query, exchange.version) ?? query);
  return given instanceof Denial ? given : new OwnAnswer(given.headers, given.body, given.status, true);
}

/** Whoever is to see the body go by, under the ladder that holds for this request. */
function beginWatches(subject: Subject): void {
  const { exchange, route } = subject;
  for (const check of route?.checks ?? []) {
    const watch = check.watch?.(exchange) ?? null;
    if (watch === null) continue;
    exchange.bodyWatches ??= [];
    exchange.bodyWatches.push({ check, watch, isEnforced: isEnforced(check, subject) });
  }
}

/** Finds the route, which decides what is asked for. */
function matchRoute(subject: Subject): Verdict {
  const { exchange, snapshot } = subject;
  const match = routesFor(subject).match(exchange.host, exchange.method, exchange.target.path);
  if (exchange.oddity !== null && !isKept(subject, match, exchange.oddity)) {
    const { seen, wanted } = exchange.oddity.fault;
    return new Denial("target_ambiguous", null, seen, wanted);
  }
  if (exchange.body !== EMPTY_BODY) {
    const stray = judgeStrayBody(exchange, match);
    if (stray !== CONTINUE) return stray;
  }
  if (match.kind === "not_found") {
    if (match.other !== null) return elsewhere(exchange.target.path, match.other);
    return new Denial(
      "route_not_found",
      snapshot.routesPlace,
      `${exchange.method} on host ${exchange.host}`,
      "a route of the policy",
    );
  }
  subject.route = match.route;
  // Before all that may refuse, for refusals are for the page to read, too.
  match.route.cors?.tell(exchange);
  if (snapshot.versions !== null) {
    const otherVersion = snapshot.versions.judge(exchange, match.route);
    if (otherVersion !== CONTINUE) return otherVersion;
  }
  if (match.kind === "method_not_allowed") {
    return new Denial("method_not_allowed", match.route.place, `method ${exchange.method}`, match.allow, [
      ["allow", match.allow],
    ]);
  }
  exchange.params = match.params;
  if (match.route.upstream !== null) exchange.upstream = match.route.upstream;
  exchange.bodyBytesMax = match.route.bodyBytesMax;
  if (exchange.upgrade !== null && match.route.webSocket === null) {
    return new Denial("upgrade_refused", match.route.place, "upgrade to websocket", "a route with 'websocket'");
  }
  return judgeMethodHead(subject);
}

/** A body that its method does not have is the route's to take; to a service that leaves it unread it is the next request. */
function judgeStrayBody({ method, body }: Exchange, match: RouteMatch<Route>): Verdict {
  if (match.kind === "found" && match.route.keepsBodiesIn.includes(method)) body.accept();
  else if (body.isStray) {
    const wanted = `none, or a route with 'keepBodiesIn: [${method}]' where the service reads it`;
    return new Denial("request_malformed", null, `body in a ${method} request`, wanted);
  }
  return CONTINUE;
}

/**
 * Whether the route keeps the odd forms of its path, and they lead past no other: without parameters and empty segments the
 * path has to be the same route's, or nobody's where a segment is nothing but parameters, and with its escaped slashes decoded no route's that does not keep them.
 */
function isKept(subject: Subject, match: RouteMatch<Route>, { kinds }: Oddity): boolean {
  const { exchange } = subject;
  if (match.kind !== "found" || (kinds & ~match.route.keepsInPaths) !== 0) return false;
  const routes = routesFor(subject);
  const { host, method, target } = exchange;
  const [plain, decoded] = plainForms(target.path);
  const asPlain = routes.match(host, method, plain);
  const isNobodys = asPlain.kind === "not_found" && asPlain.other === null && hasNameless(target.path);
  if (!isNobodys && (asPlain.kind !== "found" || asPlain.route !== match.route)) return false;
  if (decoded === plain) return true;
  const asDecoded = routes.match(host, method, decoded);
  const other = asDecoded.kind === "not_found" ? asDecoded.other?.route : asDecoded.route;
  return other === undefined || (other.keepsInPaths & KEPT.encodedSlashes) !== 0;
}

/** What services with each reading do, and what the policy says if the service does not. */
const READINGS: Readonly<Record<OtherPlace<Route>["reading"], readonly [service: string, remedy: string]>> = {
  fold: ["folds case", "'paths: caseSensitive'"],
  exact: ["drops a slash at the end, or runs scripts whatever follows their name,", "a route of its own"],
  decoded: ["decodes escapes before it routes", "a route of its own"],
  inner: ["lets a script route what follows its name", "a route of its own"],
};

/** What the log is told of a path that services may take for the place of another route. */
function elsewhere(path: string, { route, reading }: OtherPlace<Route>): Denial {
  const [service, remedy] = READINGS[reading];
  const seen = `${excerpt(path, 128)}, which a service that ${service} takes for '${route.template}'`;
  const wanted = `the path as '${route.template}' spells it, or ${remedy} where the service tells the two apart`;
  return new Denial("route_not_found", route.place, seen, wanted);
}

/**
 * Judges what was allowed once and still runs, by `subject.snapshot`, the one of now: whether it would be allowed to
 * begin. No Permit comes of it, nothing is counted, and the body is not looked at again.
 */
export function judgeAgain(subject: Subject): Verdict | Promise<Verdict> {
  const admitted = admit(subject, subject.snapshot.admitChecks.filter(isLasting));
  if (admitted instanceof Promise) return admitted.then((verdict) => verdict ?? judgeRouteAgain(subject));
  return admitted ?? judgeRouteAgain(subject);
}

function judgeRouteAgain(subject: Subject): Verdict | Promise<Verdict> {
  return matchRoute(subject) ?? runChecks(subject, subject.route?.checks.filter(isLasting) ?? [], 0);
}

function isLasting(check: Check): boolean {
  return LASTING_PHASES.has(check.phase) && check.once !== true;
}

/** Runs `checks` from `first` on; leaves the stack only for a check that returned a promise. */
function runChecks(subject: Subject, checks: readonly Check[], first: number): Verdict | Promise<Verdict> {
  for (let at = first; at < checks.length; at++) {
    const check = checks[at];
    if (check === undefined) break;
    const verdict = check.evaluate(subject.exchange);
    if (verdict instanceof Promise) {
      return verdict.then((settled) => enforce(subject, check, settled) ?? runChecks(subject, checks, at + 1));
    }
    const enforced = enforce(subject, check, verdict);
    if (enforced !== CONTINUE) return enforced;
  }
  return CONTINUE;
}

/** The ladder: a check that audits, or enforces for a share only, has its denial noted instead, unless it is terminal. */
function enforce(subject: Subject, check: Check, verdict: Verdict): Verdict {
  const enforced = verdict === CONTINUE || verdict.terminal || isEnforced(check, subject);
  subject.observer?.onCheck(check, verdict, enforced);
  if (verdict === CONTINUE) return CONTINUE;
  if (enforced) {
    if (subject.exchange.taken !== null && check.once === true) subject.exchange.giveBack();
    return verdict;
  }
  subject.exchange.audit(verdict, check);
  return CONTINUE;
}

function isEnforced(check: Check, { exchange, shares }: Subject): boolean {
  const percent = check.enforcePercent;
  if (percent >= 100 || percent === 0) return percent > 0;
  return (check.share?.(exchange) ?? shares.of(check.name, exchange)) * 100 < percent;
}
