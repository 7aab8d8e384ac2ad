import type { CheckName, Denial } from "../decision/verdict.ts";
import { type Account, Charge } from "../memory/account.ts";
import { type Address, clientOf } from "./address.ts";
import type { AnswerWatcher } from "./answer.ts";
import type { AnswerCount } from "./answer-count.ts";
import type { RequestBody } from "./body.ts";
import type { BodyEdits } from "./body-edits.ts";
import type { PlacedWatch } from "./body-watch.ts";
import type { ClientCertificate, ConnectionFacts } from "./connection.ts";
import type { DeprecatedOutcome } from "./deprecated-use.ts";
import type { DetectNotes } from "./detect-notes.ts";
import type { Forwarding } from "./forwarded.ts";
import type { Geo } from "./geo.ts";
import type { HeaderBlock } from "./headers.ts";
import type { Oddity } from "./kept-target.ts";
import type { LeakNotes } from "./leak-notes.ts";
import type { LimitState } from "./limit-state.ts";
import type { Pace } from "./pace.ts";
import type { Principal } from "./principal.ts";
import type { Upgrade } from "./stream.ts";
import type { AnswerFacts, Taken } from "./taken.ts";
import type { Target } from "./target.ts";

/** What a decision service said; `none` where it gave no answer. */
export interface Decided {
  readonly service: string;
  readonly theirs: "allow" | "deny" | "none";
}

/**
 * An identity that `explain` and policy tests put in place of credentials. The data path leaves `Exchange.assumed`
 * null; test/architecture.test.ts holds it to that.
 */
export type AssumedIdentity =
  | { readonly type: "jwt"; readonly claims: Readonly<Record<string, unknown>> }
  | { readonly type: "api-key"; readonly caller: string }
  | { readonly type: "basic"; readonly user: string }
  | { readonly type: "signature"; readonly caller: string };

/** What a request has proven: proofs that no other may show, and when they were judged. */
export interface ShownProofs {
  /** Unix milliseconds. */
  readonly atMs: number;
  readonly keys: readonly string[];
}

/** Calls of a JSON-RPC body, for what refuses them. */
export interface CallIds {
  readonly isJson: boolean;
  /** Whether it is a list of calls. */
  readonly isBatch: boolean;
  /** Of those that ask for an answer, as JSON writes them; `null` for what is no id. */
  readonly ids: readonly string[];
}

/**
 * One request, as the checks see it. Every field is set at birth, so that all exchanges have one shape for the
 * compiler; the checks of later phases read what earlier ones found.
 */
export class Exchange {
  readonly connection: ConnectionFacts;
  readonly method: string;
  readonly target: Target;
  /** Host header in lower case, without port. */
  readonly host: string;
  /** Host header as received, with port. */
  readonly authority: string;
  /** As the client sent them; `validate` gives others where the body goes on with other bytes. */
  headers: HeaderBlock;
  /** The same. */
  body: RequestBody;
  /** The peer, or behind trusted proxies the first address that none of them wrote. Set by `admit`. */
  clientAddress: Address;
  /** What is known of where addresses are; null where the policy has no `geo`. Set by `admit`. */
  geo: Geo | null;
  /** What trusted proxies before us may tell of it; null where the peer is none of them. Set by `admit`. */
  forwarding: Forwarding | null;
  /** The client's certificate: the connection's, or the one that a trusted proxy before us tells. Set by `admit`. */
  certificate: ClientCertificate | null;
  /** Name of the upstream that it goes to: the listener's, and from the match on the route's where it has one. */
  upstream: string;
  /** Values of the route's `{parameters}` from left to right, as they stand in the path. Set by `match`. */
  params: readonly string[];
  /** Set by `authenticate`; null on public routes and before. */
  principal: Principal | null;
  /** The account of a file that was tried, known or not to be the caller's: what bans may count by. Set by `authenticate`. */
  account: string | null;
  /** What the limit that was met last had left, and behind it those before; null where none is told. Set by `limit`. */
  rateLimit: LimitState | null;
  /** What limits took, in the order in which they did; null where nothing has to be given back or settled. */
  taken: Taken[] | null;
  /** Nobody waits for it any more. */
  isOver: boolean;
  /** The target as the client sent it; `target` is its canonical form. Empty where there is no client. */
  receivedTarget: string;
  /** Most bytes of a body that the route takes. Set by `match`. */
  bodyBytesMax: number;
  /** Set by authenticators that ask for proof of more than a credential; null for the many that show none. */
  proofs: ShownProofs | null;
  /** A body that a check read whole; it is what is forwarded. */
  collectedBody: Buffer | null;
  /** The schema that `validate` enforces for it has judged it, and it fits. */
  isBodyJudged: boolean;
  /** Every name that its outermost object may have, where a schema has seen to that; null where none has. */
  outermostNames: readonly string[] | null;
  /**
   * What that body says, where a rule asked for it: set by `validate`, and forgotten with the phase. Undefined where no
   * rule asked, and of a body without a reading.
   */
  bodyValue: unknown;
  /** Set by `validate` of a route for JSON-RPC; null before. */
  callIds: CallIds | null;
  /** Memory that the request holds until it is over; null while it holds none. */
  charge: Charge | null;
  /** Who has put work for it in a line, by `whenOver`; null for the many that nobody has to be told of. */
  onOver: Set<() => void> | null;
  /** Who says how fast its bytes may go; null for as fast as they come. Set by `limit`. */
  paces: Pace[] | null;
  /** Who sees the answer go by; null for the many that nobody watches. Set by the checks of the request. */
  watchers: AnswerWatcher[] | null;
  /** Who looks at the body as it streams; null for the many that nobody watches. Set when all checks have let it through. */
  bodyWatches: PlacedWatch[] | null;
  /** What of the body was changed on its way; null for the many that go on as they came. Set by `validate`. */
  bodyEdits: BodyEdits | null;
  /** For which version it is, one of the policy's; null where its route has none. Set by the match. */
  version: string | null;
  /** How a request for what is deprecated went; null for any other. */
  deprecated: DeprecatedOutcome | null;
  /** By which it can be followed; null where the policy asks for none. */
  requestId: string | null;
  /** Of the trace that it is a part of, 32 hexadecimal digits; null as above. */
  traceId: string | null;
  /** Whether the trace is one that is recorded, here or by who asks: it can be looked up. */
  isTraceSampled: boolean;
  /** Of its own span, 16 hexadecimal digits, once that is on its way to the collector; null where none is. */
  spanId: string | null;
  /** Header lines, each with CR LF, that the service gets beside those that the route's rewrite makes. */
  serviceLines: string;
  /** Header lines, each with CR LF, of whatever is answered, beside those that the route has for all its answers. */
  answerLines: string;
  /** Denials of checks that only audit: logged and counted, not enforced. */
  audited: Denial[] | null;
  /** Whose each of them is. */
  auditedBy: CheckName[] | null;
  /** What decision services said, in the order in which they were asked; null where none was. */
  decided: Decided[] | null;
  /** Values that were not to be seen, in it or its answer; null for the many that have none, or where nobody looks. */
  leaks: LeakNotes | null;
  /** Rules that matched, in it or its answer; null for the many where none did, or where nobody looks. */
  detected: DetectNotes | null;
  /** What rules about its answer did to it; null where none does anything. */
  answerCounts: AnswerCount[] | null;
  assumed: AssumedIdentity | null;
  /** Headers that did not reach the service, though no policy took them off: of `identity`, then of the client; null for none. */
  withheld: readonly string[] | null;
  /** What its target has that only a route which keeps it may take; null for the many that have nothing. */
  oddity: Oddity | null;
  /** Path and query as the service gets them, where the route rewrites its target; null where it gets those that are judged. */
  upstreamTarget: Target | null;
  /** How the request asks for another protocol; null for the many that do not. Set by the codec's reader. */
  upgrade: Upgrade | null;

  constructor(
    connection: ConnectionFacts,
    method: string,
    target: Target,
    host: string,
    authority: string,
    headers: HeaderBlock,
    body: RequestBody,
  ) {
    this.connection = connection;
    this.method = method;
    this.target = target;
    this.host = host;
    this.authority = authority;
    this.headers = headers;
    this.body = body;
    this.clientAddress = connection.peer;
    this.geo = null;
    this.forwarding = null;
    this.certificate = connection.certificate;
    this.upstream = "";
    this.params = NO_PARAMS;
    this.principal = null;
    this.account = null;
    this.rateLimit = null;
    this.taken = null;
    this.isOver = false;
    this.receivedTarget = "";
    this.bodyBytesMax = Number.POSITIVE_INFINITY;
    this.proofs = null;
    this.collectedBody = null;
    this.isBodyJudged = false;
    this.outermostNames = null;
    this.bodyValue = undefined;
    this.callIds = null;
    this.charge = null;
    this.onOver = null;
    this.paces = null;
    this.watchers = null;
    this.bodyWatches = null;
    this.bodyEdits = null;
    this.version = null;
    this.deprecated = null;
    this.requestId = null;
    this.traceId = null;
    this.isTraceSampled = false;
    this.spanId = null;
    this.serviceLines = "";
    this.answerLines = "";
    this.audited = null;
    this.auditedBy = null;
    this.decided = null;
    this.leaks = null;
    this.detected = null;
    this.answerCounts = null;
    this.assumed = null;
    this.withheld = null;
    this.oddity = null;
    this.upstreamTarget = null;
    this.upgrade = null;
  }

  /** For what this request holds, a body or a WebSocket; it counts for the client behind any proxies. */
  chargeTo(account: Account): Charge {
    this.charge ??= new Charge(account, clientOf(this.clientAddress));
    return this.charge;
  }

  /** A check would have denied it, and does not enforce. */
  audit(denial: Denial, check: CheckName): void {
    this.audited ??= [];
    this.auditedBy ??= [];
    this.audited.push(denial);
    this.auditedBy.push(check);
  }

  /** A limit took something; a request that is over already, as one whose client left while it waited, needs nothing. */
  take(taken: Taken): void {
    if (this.isOver) {
      taken.giveBack();
      return;
    }
    this.taken ??= [];
    this.taken.push(taken);
  }

  /** A limit refuses the request: what the others took is theirs again, the last one's first. */
  giveBack(): void {
    const { taken } = this;
    this.taken = null;
    for (let at = (taken?.length ?? 0) - 1; at >= 0; at--) taken?.[at]?.giveBack();
  }

  /** How it ended, for what limits took. */
  settle(facts: AnswerFacts): void {
    const { taken } = this;
    this.taken = null;
    if (taken !== null) for (const one of taken) one.onEnd?.(facts);
  }

  /** Calls `run` when the request is over, however; what it gives takes that back. */
  whenOver(run: () => void): () => void {
    this.onOver ??= new Set();
    this.onOver.add(run);
    return () => void this.onOver?.delete(run);
  }

  /** The request is over: nothing is held for it any more, and nothing is to be done. */
  end(): void {
    this.isOver = true;
    this.charge?.release();
    const told = this.onOver;
    this.onOver = null;
    if (told !== null) for (const run of told) run();
  }
}

const NO_PARAMS: readonly string[] = Object.freeze([]);
