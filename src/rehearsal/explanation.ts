import { REASONS } from "../decision/reason.ts";
import { Denial, type Place } from "../decision/verdict.ts";
import type { Exchange } from "../message/exchange.ts";
import { queryNames } from "../message/query.ts";
import type { ListenerSettings, OwnPage, Route, Snapshot } from "../policy/snapshot.ts";
import type { OwnAnswer } from "../proxy/own-page.ts";
import { placeText, type Step } from "../records/step.ts";
import { excerpt } from "../support/excerpt.ts";
import { type Paint, painter, type Style } from "../support/paint.ts";

export interface Explanation {
  readonly request: string;
  readonly policyHash: string;
  readonly steps: readonly Step[];
  readonly verdict: {
    readonly allowed: boolean;
    readonly reason: string | null;
    readonly status: number | null;
    readonly place: string | null;
    readonly route: string | null;
  };
  /** What else would tell more; null for most. */
  readonly hint: string | null;
}

/** The same with what is shown of each text. */
export function showing(told: Explanation, show: (text: string) => string): Explanation {
  const steps = told.steps.map((step) => ({
    ...step,
    saw: show(step.saw),
    wanted: step.wanted === null ? null : show(step.wanted),
  }));
  return { ...told, request: show(told.request), steps };
}

/** Nobody elsewhere was asked, and it would have counted. */
const NOT_ASKED = "nobody elsewhere was asked; --online asks as postern would";
const UNAVAILABLE = /^(?:keys|introspection|decision)_unavailable$/;

/** The connection and the canonical target: what every later step rests on. */
export function openingSteps(exchange: Exchange, listenerPlace: Place): Step[] {
  const { certificate } = exchange;
  const { secure } = exchange.connection;
  const trust = certificate?.untrusted === null ? "trusted" : `not trusted (${certificate?.untrusted})`;
  const identity = certificate === null ? "no client certificate" : `${certificate.subject}, ${trust}`;
  const place = placeText(listenerPlace);
  const connection = `${secure ? "TLS" : "plain HTTP"} from ${exchange.connection.peer.text}, ${identity}`;
  return [
    { phase: "accept", check: "connection", result: "info", place, saw: connection, wanted: null },
    { phase: "admit", check: "target", result: "info", place: null, saw: exchange.target.path, wanted: null },
  ];
}

/** A handshake that the listener would not have let come about; no request follows it. */
export function handshakeStep(exchange: Exchange, { tls, place }: ListenerSettings): Step | null {
  if (tls?.clientCertificate !== "required") return null;
  const { certificate } = exchange.connection;
  if (certificate !== null && certificate.untrusted === null) return null;
  const saw = certificate === null ? "no client certificate" : `client certificate: ${certificate.untrusted}`;
  return { phase: "accept", check: "handshake", result: "deny", place: placeText(place), saw, wanted: "a trusted one" };
}

/** `version`: the request's, where its route is one of some. */
export function routeStep(route: Route, version: string | null): Step {
  const methods = route.methods.length === 0 ? "usual methods" : route.methods.join(", ");
  const ofVersion = version === null ? "" : `, version ${version}`;
  const saw = `${methods} ${route.template}${ofVersion}${route.isPublic ? " (public)" : ""}`;
  return { phase: "match", check: "route", result: "info", place: placeText(route.place), saw, wanted: null };
}

/** No route takes the request, and the service does not see it. */
export function ownPageStep({ label, place }: OwnPage): Step {
  const saw = `postern answers this itself: ${label}`;
  return { phase: "match", check: "page", result: "info", place: placeText(place), saw, wanted: null };
}

/** A browser's question whether a page may ask; the service does not see it. */
export function preflightStep({ place, cors }: Route): Step {
  const saw = "postern answers this preflight itself: the page may send the request";
  return { phase: "match", check: "cors", result: "info", place: placeText(cors?.place ?? place), saw, wanted: null };
}

/** The service does not see the request. */
export function answerStep({ answer }: Route, given: OwnAnswer): Step {
  const location = given.headers.get("location");
  const saw = `postern answers this itself: ${given.status}${location === undefined ? "" : ` to ${excerpt(location)}`}`;
  const place = placeText(answer?.place ?? null);
  return { phase: "respond", check: "answer", result: "info", place, saw, wanted: null };
}

/** What goes to the service, and what of the client's headers does not. */
export function rewriteSteps(route: Route, exchange: Exchange): Step[] {
  const lines = route.rewriteRequest(exchange.headers, exchange).split("\r\n").slice(0, -1);
  const saw = lines.length === 0 ? "no headers" : `headers ${lines.map((line) => line.split(":")[0]).join(", ")}`;
  const place = placeText(route.place);
  const step = (text: string): Step => ({
    phase: "rewrite",
    check: "request",
    result: "info",
    place,
    saw: text,
    wanted: null,
  });
  const query = queryText(
    exchange.target.query,
    exchange.upstreamTarget?.query ?? route.rewriteQuery?.(exchange.target.query, exchange.version),
  );
  const withheld = route.withheldHeaders(exchange.headers).filter(({ name }) => name !== "host");
  const untold = (exchange.withheld ?? []).filter((name) => exchange.headers.get(name) === undefined);
  return [
    ...targetTexts(route, exchange).map(step),
    step(saw),
    ...(exchange.requestId === null ? [] : [step(`the request is followed as ${excerpt(exchange.requestId)}`)]),
    ...(query === null ? [] : [step(query)]),
    ...untold.map((name) =>
      step(`${name} is not told: what it says is absent, or has no text that a header could hold`),
    ),
    ...withheld.map(({ name, why }) => step(`${excerpt(name)} does not pass: ${why}`)),
  ];
}

/** What the service gets in place of path and host; the values of a query are nobody's to read here. */
function targetTexts({ targetRewrite }: Route, { target, upstreamTarget }: Exchange): string[] {
  if (targetRewrite === null || upstreamTarget === null) return [];
  const isOther = upstreamTarget.path !== target.path;
  const path = isOther ? [`path ${target.path} goes on as ${upstreamTarget.path}`] : [];
  return targetRewrite.authority === null ? path : [...path, `host ${targetRewrite.authority}`];
}

/** Which parameters the service does not get, or gets though nobody sent them; null where it gets those that were sent. */
function queryText(sent: string, told = sent): string | null {
  const [before, after] = [new Set(queryNames(sent)), new Set(queryNames(told))];
  const off = [...before].filter((name) => !after.has(name)).map((name) => `${excerpt(name)} does not pass`);
  const filled = [...after].filter((name) => !before.has(name)).map((name) => `${excerpt(name)} is filled in`);
  return off.length + filled.length === 0 ? null : `query: ${[...off, ...filled].join(", ")}`;
}

/** What becomes of the answer is told as far as it is known before there is one. */
export function respondSteps(route: Route, exchange: Exchange): Step[] {
  return route.responseChecks.flatMap(({ name, place, explain }) =>
    explain === undefined
      ? []
      : [
          {
            phase: "respond",
            check: name,
            result: "info",
            place: placeText(place),
            saw: explain(exchange),
            wanted: null,
          },
        ],
  );
}

/** The service's answer is refused. */
export function refusedAnswerStep({ reason, place, seen, wanted }: Denial): Step {
  return { phase: "respond", check: reason, result: "deny", place: placeText(place), saw: seen, wanted };
}

/** By what a request was judged, and where that led. */
export interface Judged {
  readonly snapshot: Snapshot;
  readonly route: Route | null;
  readonly ownPage: OwnPage | null;
}

export function explanation(
  exchange: Exchange,
  { snapshot, route, ownPage }: Judged,
  steps: readonly Step[],
  outcome: unknown,
  isOnline: boolean,
): Explanation {
  const denial = outcome instanceof Denial ? outcome : null;
  const { method, target } = exchange;
  // A key in the query is nobody's to read here.
  const query = route?.rewriteQuery?.(target.query, exchange.version) ?? target.query;
  return {
    request: `${method} ${target.path}${query}`,
    policyHash: snapshot.hash,
    steps,
    verdict: {
      allowed: denial === null,
      reason: denial?.reason ?? null,
      status: denial === null ? null : REASONS[denial.reason].status,
      place: placeText(denial?.place ?? null),
      route: route?.template ?? ownPage?.label ?? null,
    },
    hint: !isOnline && UNAVAILABLE.test(denial?.reason ?? "") ? NOT_ASKED : null,
  };
}

/** What is told of a connection that ends in its handshake. */
export function handshakeExplanation(exchange: Exchange, snapshot: Snapshot, steps: readonly Step[]): Explanation {
  const verdict = {
    allowed: false,
    reason: "handshake",
    status: null,
    place: steps.at(-1)?.place ?? null,
    route: null,
  };
  return {
    request: `${exchange.method} ${exchange.target.path}`,
    policyHash: snapshot.hash,
    steps,
    verdict,
    hint: null,
  };
}

/** Of what a check said. */
const RESULT_STYLES: Readonly<Record<string, Style>> = { deny: "red", audit: "yellow" };

/** The explanation for a person: a line a step, the verdict last. */
export function explanationText(told: Explanation, paint: Paint = painter(false)): string {
  const width = (of: (step: Step) => string) => Math.max(...told.steps.map((step) => of(step).length));
  const phases = width(({ phase }) => phase);
  const checks = width(({ check }) => check);
  const places = width(({ place }) => place ?? "-");
  const isTimed = told.steps.some(({ us }) => us !== undefined);
  const lines = told.steps.map(({ phase, check, result, place, saw, wanted, us }) => {
    const took = isTimed ? [(us === undefined ? "" : `${us.toFixed(1)} µs`).padStart(10)] : [];
    const style = RESULT_STYLES[result];
    const columns = [
      phase.padEnd(phases),
      check.padEnd(checks),
      style === undefined ? result.padEnd(5) : paint(style, result.padEnd(5)),
      ...took,
      (place ?? "-").padEnd(places),
    ];
    return `  ${columns.join("  ")}  ${saw}${wanted === null ? "" : `; wanted ${wanted}`}\n`;
  });
  const { allowed, reason, status, place, route } = told.verdict;
  const where = place === null ? "" : ` at ${place}`;
  const answer = status === null ? "no connection" : String(status);
  const verdict = allowed
    ? paint("green", `allowed by route ${route}`)
    : paint("red", `denied: ${reason} (${answer})${where}`);
  return `${told.request}  (policy ${told.policyHash})\n\n${lines.join("")}\n${verdict}\n${told.hint === null ? "" : `${told.hint}\n`}`;
}
