import { Denial, type HeaderLine } from "../decision/verdict.ts";
import type { Exchange } from "../message/exchange.ts";
import { HeaderBlock } from "../message/headers.ts";
import type { Route, Snapshot } from "../policy/snapshot.ts";
import { OwnAnswer } from "./own-page.ts";

/** The part of a subject that this looks at. */
export interface PreflightSubject {
  readonly snapshot: Snapshot;
  readonly exchange: Exchange;
  /** Set where it is answered here. */
  route: Route | null;
}

const NOTHING = Buffer.alloc(0);

/**
 * The answer to a browser's question whether a page may send a request (Fetch section 4.8), asked of the route that the
 * request itself would get; null for anything else, and where that route leaves it to the service. It carries no
 * credentials, so that it passes where callers have to be known.
 */
export function judgePreflight(subject: PreflightSubject): OwnAnswer | Denial | null {
  const { snapshot, exchange } = subject;
  if (snapshot.unroutedCors === null || exchange.method !== "OPTIONS") return null;
  const { headers, host, target, upgrade, oddity } = exchange;
  const method = headers.get("access-control-request-method");
  if (method === undefined || headers.count("origin") !== 1 || upgrade !== null || oddity !== null) return null;
  if (snapshot.versions !== null) {
    return judgeVersions(subject, snapshot.versions.routesForPreflight(exchange, method), method);
  }
  const match = snapshot.routes.match(host, method, target.path);
  return match.kind === "found" ? judgeVersions(subject, [match.route], method) : null;
}

/**
 * The request itself may get any of `routes`: where it names its version in a header, the question does not have its value. What
 * one of them refuses is refused, and what not all let pass is not told.
 */
function judgeVersions(subject: PreflightSubject, routes: readonly Route[], method: string): OwnAnswer | Denial | null {
  const { exchange } = subject;
  let common: HeaderBlock | null = null;
  if (routes.some(({ cors }) => cors === null)) return null;
  for (const route of routes) {
    if (route.cors === null) continue;
    subject.route = route;
    if (exchange.body.isStray) return new Denial("request_malformed", null, "body in a preflight", "none");
    const answer = route.cors.preflight(exchange, method);
    if (answer instanceof Denial) return answer;
    common = common === null ? answer : inBoth(common, answer);
  }
  return common === null ? null : new OwnAnswer(common, NOTHING, 204);
}

/** Lines of `a` that `b` has, too; of lists what is in both, and of two origins the one that is no `*`. */
function inBoth(a: HeaderBlock, b: HeaderBlock): HeaderBlock {
  const lines = a.names.flatMap((name, at): HeaderLine[] => {
    const own = a.values[at] ?? "";
    const other = b.get(name);
    if (other === undefined) return [];
    if (name === "access-control-allow-origin") return [[name, own === "*" ? other : own]];
    if (name === "access-control-max-age") return [[name, String(Math.min(Number(own), Number(other)))]];
    const kept = new Set(other.split(", "));
    return [
      [
        name,
        own
          .split(", ")
          .filter((one) => kept.has(one))
          .join(", "),
      ],
    ];
  });
  return new HeaderBlock(
    lines.map(([name]) => name),
    lines.map(([, value]) => value),
  );
}
