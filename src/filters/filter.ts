import type { z } from "zod";
import type { Phase } from "../decision/phases.ts";
import type { HeaderLine, Place, Verdict } from "../decision/verdict.ts";
import type { CompiledRules } from "../detection/rules/compile-rules.ts";
import type { RuleListing } from "../detection/rules/listing.ts";
import type { RouteExclusion, RuleSet } from "../detection/rules/rule-set.ts";
import type { BodyWatch } from "../message/body-watch.ts";
import type { CertificateLines } from "../message/certificate-lines.ts";
import type { Exchange } from "../message/exchange.ts";
import type { HeaderBlock } from "../message/headers.ts";
import type { CompiledSchema } from "../schema/compile.ts";
import type { Subschema } from "../schema/subschema.ts";
import type { Result } from "../support/result.ts";
import type { Steps } from "../support/turns.ts";
import type { Authenticator } from "./authenticator-port.ts";
import type { AuthorizeRule } from "./authorize/schema.ts";
import type { GuessBans } from "./bans/guess-bans.ts";
import type { CompileContext } from "./compile-context.ts";
import type { Cors } from "./cors/evaluate.ts";
import type { Question } from "./decide/question.ts";
import type { KnownHits } from "./detect/probe.ts";
import type { RuleKeeper } from "./detect/rule-keeper.ts";
import type { DetectorSettings } from "./detect/schema.ts";
import type { Limit, Plan } from "./limit-port.ts";
import type { MethodRule } from "./method-rule.ts";
import type { Overload } from "./overload/evaluate.ts";
import type { IdentityLine } from "./request/identity.ts";
import type { RouteAnswer } from "./respond/evaluate.ts";
import type { AnswerReading, ResponseCheck } from "./response-check.ts";
import type { Revocations } from "./revoked/evaluate.ts";
import type { TargetRewrite } from "./rewrite/evaluate.ts";

export type {
  Authentication,
  Authenticator,
  AuthenticatorKind,
  BindingFacts,
  CallerLimit,
  CredentialUse,
  TokenFacts,
} from "./authenticator-port.ts";
export { defineAuthenticator, NO_CREDENTIALS } from "./authenticator-port.ts";
export type { CompileContext } from "./compile-context.ts";
export type {
  Limit,
  LimitContext,
  LimitKey,
  LimitKind,
  LimitPlaces,
  LimitReport,
  LimitStoreUse,
  Plan,
  ShareableLimit,
} from "./limit-port.ts";
export { defineLimit } from "./limit-port.ts";

/** One compiled check of a route: settings are gone, what is left only looks and judges. */
export interface Check {
  /** The key in the policy: `address`, `authenticate`, `authorize`, `limit`, `validate`. */
  readonly name: string;
  readonly phase: Phase;
  readonly place: Place;
  /** The ladder: -1 is never asked, 0 only audits, 100 enforces, between them that share of callers is enforced. */
  readonly enforcePercent: number;
  /**
   * True where evaluating is an act, as counting is: it happens once a request, and not when a stream that lasts is
   * judged again.
   */
  readonly once?: boolean;
  /**
   * Of one that counts in the process's own memory, at once: how long ago a request may have been that still counts,
   * milliseconds. A candidate may ask it, by counters of its own.
   */
  readonly looksBackMs?: number;
  /** True where it looks at what the phase's other checks establish, as the body's content: it runs behind them. */
  readonly late?: boolean;
  /** Clients of its route look for refusals in this language. */
  readonly refusals?: "jsonrpc" | "connect";
  /** For `audit`: it compares what a request is for with who asks, as `match` and conditions do. */
  readonly tiesObject?: boolean;
  /** For `audit`: it judges what bodies hold, not only their length and type. */
  readonly judgesBody?: boolean;
  /** For `audit`: who shows no credentials is a caller as well. */
  readonly admitsAnyone?: boolean;
  /** 0 to 1, for the ladder: the same for what it is about, as a limit's key. By caller where absent or null. */
  share?(exchange: Exchange): number | null;
  /** A verdict at once, or a promise only where it must wait. Never throws for anything a client can send. */
  evaluate(exchange: Exchange): Verdict | Promise<Verdict>;
  /**
   * Who is to look at the body on its way, where it streams; asked once all checks have let the request through. Null for
   * nobody.
   */
  watch?(exchange: Exchange): BodyWatch | null;
  /** It judges all that clients send, and trailers it does not know: they do not go on. */
  readonly dropsTrailers?: boolean;
  /** Of one that searches by rules: whose they are, how many look at arguments, and how many of them the route's contract leaves. */
  searches?(): { readonly detector: string; readonly rules: number; readonly searched: number };
  /** For `explain`, after `evaluate`: what this check looked at in the exchange and saw, without secrets. */
  explain(exchange: Exchange): string;
}

/** What the checks of a route hand to `rewrite`: which request headers leave and which are added. */
export interface RequestRules {
  /** Remove headers that carried credentials (Authorization, the API key's header). */
  readonly keepCredentials: boolean;
  /** Further names to remove, lower case. */
  readonly removeHeaders: readonly string[];
  readonly setHeaders: readonly HeaderLine[];
  /** Headers that say who asks; no client's of these names passes, in whatever spelling. */
  readonly identity: readonly IdentityLine[];
  /** How the service is told the client's certificate; empty for not at all. */
  readonly clientCertificate: readonly CertificateLines[];
  /** Names of parameters from which the service may read another method; none where it is known to read no method. */
  readonly methodParameters: readonly string[];
  /** The closed list of what passes, lower case; null for none. */
  readonly forward: readonly string[] | null;
  /** Names that pass though they would come off, lower case. */
  readonly keepHeaders: readonly string[];
  /** Names that `validate.headers` declares, lower case: they pass in this spelling alone. */
  readonly declaredHeaders: readonly string[];
}

/** Changes headers of the service before the rules by name: a function of them and of `secure` alone, and always the same one. */
export interface HeadEdit {
  /** Two edits with the same word and settings do the same; plain data. */
  readonly word: string;
  readonly settings: unknown;
  /** The block itself where nothing is to be changed. `secure`: TLS protects the client's connection. */
  edit(headers: HeaderBlock, secure: boolean): HeaderBlock;
}

/** What `respond` does to every answer of the service. */
export interface ResponseRules {
  readonly edits: readonly HeadEdit[];
  /** The closed list of what leaves, lower case; null for none. */
  readonly allowHeaders: readonly string[] | null;
  /** Names to remove, lower case. */
  readonly removeHeaders: ReadonlySet<string>;
  /** Lines to add; they replace what the service sent under the same name. */
  readonly setHeaders: readonly HeaderLine[];
  /** Lines to add beside what the service sent under the same name. */
  readonly addHeaders: readonly HeaderLine[];
  /** Lines to add where the service sent none of that name: its own choice is more precise than a default. */
  readonly defaultHeaders: readonly HeaderLine[];
  /** Like `defaultHeaders`, only where TLS protects the connection (Strict-Transport-Security). */
  readonly setHeadersSecure: readonly HeaderLine[];
}

/** What a route's WebSockets may do. */
export interface WebSocketRules {
  /** Largest payload of one frame, either way. */
  readonly frameBytesMax: number;
  /** Infinity for no end. */
  readonly lifetimeMs: number;
}

/** Sections of the policy whose entries others name. */
export type DefiningSection =
  | "authenticators"
  | "limits"
  | "plans"
  | "upstreams"
  | "roles"
  | "stores"
  | "decisionServices"
  | "detectors";

/** One named detector of the policy, compiled; `detect` of a route names it. */
export interface Detector {
  readonly name: string;
  readonly place: Place;
  readonly settings: DetectorSettings;
  readonly rules: RuleSet;
  readonly keeper: Pick<RuleKeeper, "later" | "tell">;
  /** Of the detector's own `exclude`. */
  readonly exclusions: readonly RouteExclusion[];
  /** What becomes of each of its rules; empty where they came from the state folder, as they never do for who only looks. */
  readonly listing: readonly RuleListing[];
  /** Directives of its files that are read and not done, with the reason; likewise. */
  readonly notDone: CompiledRules["notDone"];
  /** What the rules have against ordinary requests, as far as routes have asked. */
  readonly probes: KnownHits;
}

/** What `validate` enforces of a value of the route's requests, for checks behind it. */
export interface ValuePromise {
  /** `body`: of a JSON body as a whole. */
  readonly where: "path" | "query" | "form" | "body";
  /** Of the parameter or field; empty for a body. */
  readonly name: string;
  readonly schema: Subschema;
}

/** What a request of a route may, or has to, have, for who makes one that fits. */
export interface RequestPart {
  readonly where: "path" | "query" | "headers" | "cookies" | "body";
  /** Of the parameter; of a body its media type. */
  readonly name: string;
  readonly isRequired: boolean;
  readonly schema: CompiledSchema;
  /** How it is written; JSON where null. */
  readonly style: { readonly name: string; readonly explode: boolean } | null;
}

/** One named decision service of the policy, compiled; `decide` of a route names it. */
export interface DecisionService {
  readonly name: string;
  readonly place: Place;
  /** What it is asked of this route's requests, or why that cannot be said there. */
  question(route: RouteContext): Result<Question, string>;
}

export interface RoleDefinition {
  readonly rule: AuthorizeRule;
  readonly context: RouteContext;
}

/** Compilation of one filter for one route (or for `defaults`). */
export interface RouteContext extends CompileContext {
  /** The route's path template; `defaults` for the checks before the match. */
  readonly template: string;
  /** Versions of the API whose route it is; empty where it is any's. */
  readonly versions: readonly string[];
  /** Methods of the route in upper case; empty means the usual ones (message/method.ts). */
  readonly methods: readonly string[];
  readonly isPublic: boolean;
  readonly authenticators: ReadonlyMap<string, Authenticator>;
  /** False where some of the policy did not compile, or their files are not here: who else may call is not known. */
  readonly hasAllAuthenticators: boolean;
  readonly limits: ReadonlyMap<string, Limit>;
  readonly plans: ReadonlyMap<string, Plan>;
  readonly decisionServices: ReadonlyMap<string, DecisionService>;
  readonly detectors: ReadonlyMap<string, Detector>;
  /** True where the policy defines the name, though it may not have compiled: no second problem is due then. */
  isDefined(section: DefiningSection, name: string): boolean;
  /** What to write in place of a name that the section does not define, as a clause: `did you mean 'okta'?`. */
  hint(section: DefiningSection, name: string): string;
  /** The policy's definition of a role, and the context in which it compiles for this route; null where there is none. */
  role(name: string): RoleDefinition | null;
  readonly roleNames: readonly string[];
  /** Of the policy's `identity`, as this route writes them. */
  readonly identity: readonly IdentityLine[];
  addCheck(check: Check): void;
  /** A check of what the service answers. */
  addResponseCheck(check: ResponseCheck): void;
  /** How answers are read, where a check of them looks into bodies. */
  setAnswerReading(reading: AnswerReading): void;
  setRequestRules(rules: RequestRules): void;
  setResponseRules(rules: ResponseRules): void;
  /** Changes headers of the service before its `ResponseRules` do. */
  addHeadEdit(edit: HeadEdit): void;
  /** Header lines of every answer, postern's own among them: `set` in place of the service's, `added` beside them. */
  addResponseHeaders(set: readonly HeaderLine[], added: readonly HeaderLine[]): void;
  /** Null where the policy has none. */
  readonly bans: GuessBans | null;
  /** Null where the policy sheds nothing. */
  readonly overload: Overload | null;
  /** Null where the policy has none. */
  readonly revocations: Revocations | null;
  /** Names of the service's headers that reach no client, lower case. */
  removeResponseHeaders(names: readonly string[]): void;
  setCors(cors: Cors): void;
  /** The service gets another target than the one that is judged. */
  setTargetRewrite(rewrite: TargetRewrite): void;
  /** That of the route so far; null where it has none. */
  targetRewrite(): TargetRewrite | null;
  /** Postern answers in place of the service. */
  setRouteAnswer(answer: RouteAnswer): void;
  /** Whom this route asks who its caller is. */
  nameAuthenticators(names: readonly string[]): void;
  /** Those that were named so far. */
  readonly namedAuthenticators: ReadonlySet<string>;
  /** Names of headers that carry credentials of this route's authenticators, lower case. */
  addCredentialHeaders(names: readonly string[]): void;
  /** The same of query parameters; others of the policy's authenticators reach this route's service. */
  addCredentialParameters(names: readonly string[]): void;
  /** Those that were added so far. */
  readonly credentialParameters: ReadonlySet<string>;
  /** Those that were added so far. */
  readonly credentialHeaders: ReadonlySet<string>;
  /** Names of headers that a rule of this route reads, lower case. */
  declareHeaders(names: readonly string[]): void;
  /** Those that were declared so far. */
  readonly declaredHeaders: ReadonlySet<string>;
  /** Only query parameters whose decoded name is among these reach the service. */
  keepParameters(keeps: (name: string) => boolean): void;
  /** The service gets the query as this writes it. */
  plainParameters(plain: (query: string) => string): void;
  /** The service gets these where the client sends none of the name: name → pairs as they stand in a query. */
  fillParameters(pairs: ReadonlyMap<string, string>): void;
  /** A rule of this route asks for these scopes, of every caller or of some. */
  nameScopes(scopes: readonly string[]): void;
  /** Every caller of this route has to have these scopes. */
  wantScopes(scopes: readonly string[]): void;
  /** Those that are wanted so far. */
  readonly wantedScopes: ReadonlySet<string>;
  /** Media types or ranges that bodies of the route may have. */
  takeTypes(types: readonly string[]): void;
  /** Those that were taken so far. */
  readonly takenTypes: readonly string[];
  promise(value: ValuePromise): void;
  /** Those that were made so far. */
  readonly promises: readonly ValuePromise[];
  /** Of what its requests are made, where `validate` says it. */
  describePart(part: RequestPart): void;
  setBodyBytesMax(bytesMax: number): void;
  /** A rule at this place looks at members of the body, so that `validate` has to keep what it reads; without it, a problem. */
  wantBody(place: Place): void;
  isBodyWanted(): boolean;
  /** A rule of this route looks at the method: one that a parameter names must not be another, or none that it `tells` apart. */
  judgeMethod(tells?: MethodRule): void;
  /** What an answer says of its cost is read: the service is to give whole ones. */
  readAnswers(): void;
  setWebSocket(rules: WebSocketRules): void;
}

/**
 * One protection: a key of `routes[]` and `defaults`. The folder has schema.ts (its part of the policy), compile.ts
 * (settings → check, once), evaluate.ts (exchange → verdict) and README.md.
 */
export interface Filter<Settings> {
  /** Its key in the policy. */
  readonly name: string;
  /**
   * How a route meets the defaults. `add`: both apply. `override`: key by key the route's setting wins; lists and
   * scalars replace whole.
   */
  readonly defaults: "add" | "override";
  /** Keys of which a route's own stands in place of another one of the defaults. */
  readonly insteadOf?: readonly string[];
  readonly schema: z.ZodType<Settings>;
  /** Also called with undefined where neither route nor defaults say anything, if `always` is true. */
  readonly always?: boolean;
  /**
   * Awaited before `compile` where a route or the defaults use the key: loads what these settings, as the policy has them,
   * need and other policies do not; undefined stands for any settings. Gives undefined where all is loaded.
   */
  prepare?(settings?: unknown): Promise<void> | undefined;
  /** Further things to load, each where the settings of a route or of the defaults have its key. */
  readonly parts?: Readonly<Record<string, () => Promise<void> | undefined>>;
  /** A section of the policy whose entries compile with the settings that name them. */
  readonly section?: string;
  /** In steps where settings or files may be long. */
  compile(settings: Settings, context: RouteContext): void | Steps<void>;
}

export function defineFilter<Settings>(filter: Filter<Settings>): Filter<Settings> {
  return filter;
}
