import type { Denial } from "../decision/verdict.ts";
import type { ListenerSettings, Snapshot } from "../policy/snapshot.ts";
import { describeExchange } from "../rehearsal/described-request.ts";
import { sentOf, unreadable, type Verdict, verdictOf } from "../rehearsal/differences.ts";
import { rehearse } from "../rehearsal/explain.ts";
import type { TestWorld } from "../rehearsal/test-world.ts";
import type { Witness } from "./witness.ts";

/** What a policy makes of a witness. */
export interface Judgement {
  readonly isAllowed: boolean;
  /** `allowed`, or reason and status. */
  readonly outcome: string;
  /** Reasons of checks that audit, and would have denied what is allowed. */
  readonly audited: readonly string[];
  /** No route of the policy is for such a request. */
  readonly hasNoRoute: boolean;
  /** It hangs on others, and nobody was asked: what comes behind them was not judged. */
  readonly isUnasked: boolean;
  readonly route: string | null;
  /** Name of each part → what the service gets there; empty where it gets nothing. */
  readonly sent: ReadonlyMap<string, string>;
}

const NO_ROUTE = /^(?:route_not_found|method_not_allowed|version_(?:missing|ambiguous|unknown))$/;

const UNASKED = /_unavailable$/;

/** Each witness as the first request that the policy ever sees. */
export async function judgeWitness(world: TestWorld, witness: Witness, nowMs: number): Promise<Judgement | null> {
  const { snapshot } = world;
  const [listener] = snapshot.listeners;
  if (listener === undefined) return null;
  const atMs = witness.atMs ?? nowMs;
  world.begin(atMs);
  const made = await exchangeOf(witness, snapshot, listener, atMs);
  if (!made.ok) return made.error.reason === null ? null : judgementOf(unreadable(made.error.reason), new Map(), []);
  const exchange = made.value;
  const { judged } = await rehearse(snapshot, listener, exchange);
  const verdict = verdictOf(judged?.subject ?? null, judged?.outcome ?? null, null);
  const sent = sentOf(judged?.subject ?? null, judged?.outcome ?? null);
  const parts = new Map(sent === null ? [] : [["path", sent.path], ...sent.lines.flatMap(headerOf)]);
  const audited = judged?.subject.exchange.audited ?? [];
  exchange.end();
  return judgementOf(verdict, parts, audited);
}

function exchangeOf(witness: Witness, snapshot: Snapshot, listener: ListenerSettings, nowMs: number) {
  const { method, target, headers, client, identity, body, certificate } = witness;
  const description = {
    request: `${method} ${target}`,
    headers,
    client,
    certificate,
    as: identity.assumed,
    body: body === null ? null : Buffer.from(body),
  };
  return describeExchange(description, listener, snapshot.keepsInPaths, nowMs);
}

/** What is made anew for each request: a signed token, the number of a trace. */
const MADE_ANEW = /^(?:eyJ|00-[0-9a-f]{32}-)/;

function headerOf(line: string): [string, string][] {
  const at = line.indexOf(":");
  if (at < 0) return [];
  const value = line.slice(at + 1).trim();
  return [[`header ${line.slice(0, at).toLowerCase()}`, MADE_ANEW.test(value) ? "made anew" : value]];
}

function judgementOf(
  { reason, status, route }: Verdict,
  sent: ReadonlyMap<string, string>,
  denials: readonly Denial[],
): Judgement {
  const isAllowed = reason === null;
  const outcome = isAllowed
    ? status === null
      ? "allowed"
      : `answered (${status})`
    : `${reason} (${status ?? "no connection"})`;
  const audited = isAllowed ? [...new Set(denials.map((denial) => denial.reason))].sort() : [];
  const [hasNoRoute, isUnasked] = [NO_ROUTE, UNASKED].map((one) => reason !== null && one.test(reason));
  return { isAllowed, outcome, audited, hasNoRoute: hasNoRoute === true, isUnasked: isUnasked === true, route, sent };
}
