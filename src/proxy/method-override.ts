import { type MethodBody, methodBodyOf } from "../bodies/method-body.ts";
import { UNREADABLE } from "../bodies/method-scanner.ts";
import { isJsonAlone, methodsAtOnce, methodsInSteps } from "../bodies/whole-body.ts";
import { CONTINUE, Denial, type HeaderLine, type Place, type Verdict } from "../decision/verdict.ts";
import type { Exchange } from "../message/exchange.ts";
import { USUAL_METHODS } from "../message/method.ts";
import type { Route, Snapshot } from "../policy/snapshot.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { excerpt } from "../support/excerpt.ts";
import { line } from "../support/line.ts";
import type { Steps } from "../support/turns.ts";
import { routesFor } from "./routes-for.ts";

/** TRACE would echo the identity headers that were put on; CONNECT would make a tunnel past every check. */
export const FORBIDDEN_METHODS: ReadonlySet<string> = new Set(["TRACE", "TRACK", "CONNECT"]);

/**
 * Judges the methods for which a service may take the request, because its query or body names them: each has to lead to
 * the request's own route, so that the same checks were asked, and to the same rules. `where` tells in the log where it stood.
 */
export function judgeMethods(
  subject: Omit<MethodSubject, "methodBody">,
  methods: readonly string[],
  where: "query" | "cookie" | "body",
): Verdict {
  const { exchange, route } = subject;
  for (const method of methods) {
    if (method === exchange.method) continue;
    if (method === UNREADABLE) return unreadable(route?.place ?? null);
    const match = routesFor(subject).match(exchange.host, method, exchange.target.path);
    const isOwn = match.kind === "found" && match.route === route;
    // Rules that tell methods apart were asked about the one, and the service would do the other.
    if (isOwn && !route.tellsMethods(exchange.method, method) && !FORBIDDEN_METHODS.has(method)) continue;
    const other = isOwn ? "other rules" : match.kind === "found" ? "another route" : "no route";
    const seen = `${exchange.method} whose ${where} names method ${method}, which has ${other}`;
    const wanted = `a method of this route, or 'methodParameters: []' under 'request' where the service reads none`;
    return new Denial("method_overridden", route?.place ?? null, seen, wanted);
  }
  return CONTINUE;
}

function unreadable(place: Place | null): Denial {
  const seen = "a body that names a method in a value that is too long, or encoded";
  return new Denial("method_overridden", place, seen, "a method, or 'methodParameters: []' under 'request'");
}

/** A request with its route, and what it may name in its body. */
export interface MethodSubject {
  readonly snapshot: Snapshot;
  readonly exchange: Exchange;
  readonly route: Route | null;
  /** Set by `judgeMethodBody` where the body goes on piece by piece and is to be watched. */
  methodBody: MethodBody | null;
}

/** What the head of a request names, in its query or, as PHP without a php.ini reads `$_REQUEST`, in a cookie. */
export function judgeMethodHead(subject: MethodSubject): Verdict {
  const { query } = subject.exchange.target;
  const parameters = subject.route?.methodParameters ?? null;
  if (parameters === null) return CONTINUE;
  if (query !== "") {
    const verdict = judgeMethods(subject, parameters.inPairs(query.slice(1)), "query");
    if (verdict !== CONTINUE) return verdict;
  }
  const { headers } = subject.exchange;
  if (headers.get("cookie") === undefined) return CONTINUE;
  const cookies = headers.values.filter((_, at) => headers.names[at] === "cookie").join(";");
  return judgeMethods(subject, parameters.inPairs(cookies), "cookie");
}

/**
 * What the body of a request may name, before any of it goes on: one that was read whole is judged here, one that streams
 * is to be watched.
 */
export function judgeMethodBody(subject: MethodSubject): Verdict | Promise<Verdict> {
  const { exchange, route } = subject;
  const parameters = route?.methodParameters ?? null;
  if (parameters === null || exchange.body.announcedBytes === 0) return CONTINUE;
  const form = methodBodyOf(exchange.method, exchange.headers);
  if (!form.ok) return new Denial(form.error.reason, route?.place ?? null, form.error.seen, form.error.wanted);
  if (form.value !== null && form.value.hiddenBy !== null) return judgeHidden(subject, form.value.hiddenBy);
  const { collectedBody } = exchange;
  if (form.value === null || collectedBody === null) {
    subject.methodBody = form.value;
    return CONTINUE;
  }
  const names = exchange.outermostNames;
  if (names !== null && isJsonAlone(form.value) && !parameters.hasAnyOf(names)) return CONTINUE;
  if (collectedBody.length <= DEFAULTS.bodyAtOnceBytesMax) {
    return judgeMethods(subject, methodsAtOnce(form.value, parameters, collectedBody), "body");
  }
  const steps = methodsInSteps(form.value, parameters, collectedBody);
  const first = steps.next();
  return first.done === true ? judgeMethods(subject, first.value, "body") : judgeInTurns(subject, steps);
}

/** Others have their turn behind each step. */
async function judgeInTurns(subject: MethodSubject, steps: Steps<readonly string[]>): Promise<Verdict> {
  for (;;) {
    await line.turn();
    const step = steps.next();
    if (step.done === true) return judgeMethods(subject, step.value, "body");
  }
}

/** Methods for which a service has code of its own, so that a body might name them to some end. */
const NAMEABLE: readonly string[] = USUAL_METHODS.filter((method) => method !== "HEAD" && method !== "OPTIONS");

/** A body that cannot be looked into may name each of the usual methods; it passes where all of them have its route. */
function judgeHidden(subject: MethodSubject, coding: string): Verdict {
  const { exchange, route } = subject;
  const { host, method, target } = exchange;
  const routes = routesFor(subject);
  const other = NAMEABLE.find((one) => {
    if (one === method) return false;
    const match = routes.match(host, one, target.path);
    return match.kind !== "found" || match.route !== route || route.tellsMethods(method, one);
  });
  if (other === undefined) return CONTINUE;
  const seen = `JSON in content encoding ${excerpt(coding)}, which may name method ${other}, and that has not this route`;
  const wanted = "identity, or 'methodParameters: []' under 'request' where the service reads no method";
  return new Denial("content_encoding_unsupported", route?.place ?? null, seen, wanted, ACCEPTED);
}

const ACCEPTED: readonly HeaderLine[] = [["accept-encoding", "identity"]];
