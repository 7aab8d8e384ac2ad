import type { z } from "zod";
import type { Denial, HeaderLine, Place } from "../decision/verdict.ts";
import type { AssumedIdentity, Exchange } from "../message/exchange.ts";
import type { Principal } from "../message/principal.ts";
import type { JsonObject } from "../support/json.ts";
import type { Steps } from "../support/turns.ts";
import type { CompileContext } from "./compile-context.ts";

/** No credentials of this kind in the request; another authenticator may find its own. */
export const NO_CREDENTIALS = null;

export type Authentication = Principal | Denial | typeof NO_CREDENTIALS;

/** One named authenticator of the policy, compiled. */
export interface Authenticator {
  readonly name: string;
  readonly type: Principal["type"];
  readonly place: Place;
  /** The challenge for WWW-Authenticate (RFC 9110 section 11.6.1); null where there is nothing to ask for. */
  readonly challenge: string | null;
  /** What else a 401 says of what is wanted, as Accept-Signature does. */
  readonly challengeHeaders?: readonly HeaderLine[];
  /** Names of the headers that carry this credential, lower case. */
  readonly credentialHeaders: readonly string[];
  /** Names of headers that it reads and that reach the service, lower case: in another spelling they do not. */
  readonly coveredHeaders?: readonly string[];
  /** Names of cookies that do, as they stand. */
  readonly credentialCookies?: readonly string[];
  /** Names of query parameters that do, decoded. */
  readonly credentialParameters?: readonly string[];
  /** What it verifies is of the body's very bytes, too: whoever changes them makes it a lie. */
  readonly signsBody?: boolean;
  /** Of its tokens; absent where its credentials are no tokens of an authorization server. */
  readonly tokens?: TokenFacts;
  /** True where it reads tokens among a WebSocket's sub-protocols; they come off. */
  readonly websocketProtocol?: boolean;
  /** Every scope that some caller of it has; absent where only the credential says, and where there is no caller yet. */
  readonly scopes?: ReadonlySet<string>;
  /** Limits and plans of the policy that its callers name, each once and with its place in a file; `path` leads there. */
  readonly limits?: readonly CallerLimit[];
  /** Who can be its caller, where a file or the policy says that. */
  callers?(): Iterable<Principal>;
  /** When its credentials were used last, of a bounded number of them. */
  uses?(): Iterable<CredentialUse>;
  /** Of type anonymous: who a caller without credentials is. */
  readonly anonymous?: Principal;
  authenticate(exchange: Exchange): Authentication | Promise<Authentication>;
  /**
   * Whether these very credentials were good before, told from memory; null where there are none of its kind. Absent where
   * judging them costs no more than this would.
   */
  recalls?(exchange: Exchange): boolean | null;
  /** `authenticator/account` that the credentials are for, where a file has it; told without judging them. */
  accountOf?(exchange: Exchange): string | null;
  /** Where credentials of its kind stand that it does not look at, for the log; asked only where nobody found any. */
  misplaced?(exchange: Exchange): readonly string[];
  /** Why there is no credential of its kind, where the log has more to say than that; null where there is one. */
  absent?(exchange: Exchange): string | null;
  /** A newer policy is in force: what it remembers to be quick is of no more use. */
  forget?(): void;
  /** The same judgement over an identity that `explain` supposes; NO_CREDENTIALS where it is of another kind. */
  assume(identity: AssumedIdentity): Authentication;
}

/** What can be said of an authenticator's tokens without one of them. */
export interface TokenFacts {
  /** Who makes them, as tokens have it in `iss`; empty where the policy does not say. */
  readonly issuers: readonly string[];
  /** Where they stand, in the words of RFC 6750; other places it has no word for. */
  readonly bearerMethods: readonly ("header" | "query")[];
  readonly binding: BindingFacts;
  /** For whom a token is whose claims these are. */
  audiencesOf(claims: JsonObject): ReadonlySet<string>;
}

/** To what an authenticator's tokens may be bound. */
export interface BindingFacts {
  /** What proofs may be signed with (RFC 9449); empty where it takes no proofs. */
  readonly dpopAlgorithms: readonly string[];
  /** It takes no token that is not bound to a key. */
  readonly requiresDpop: boolean;
  /** It takes tokens that are bound to a client certificate (RFC 8705). */
  readonly takesCertificates: boolean;
}

/** A limit that a caller of a file is to keep to, or the plan that it has. */
export interface CallerLimit extends Place {
  readonly section: "limits" | "plans";
  readonly name: string;
}

export interface CredentialUse {
  readonly caller: string;
  /** Tells the caller's credentials apart; nothing secret. */
  readonly credential: string;
  /** Unix milliseconds. */
  readonly lastUsedMs: number;
}

/** A kind of authenticator: a `type` under `authenticators:`. */
export interface AuthenticatorKind<Settings> {
  readonly type: Principal["type"];
  readonly schema: z.ZodType<Settings>;
  /** Awaited before `compile` where the policy has one of this type: loads what other policies need not load. */
  prepare?(): Promise<void> | undefined;
  /** Settings → authenticator, or null with problems reported; in steps where files may be long. */
  compile(
    name: string,
    settings: Settings,
    context: CompileContext,
  ): Authenticator | null | Steps<Authenticator | null>;
}

export function defineAuthenticator<Settings>(kind: AuthenticatorKind<Settings>): AuthenticatorKind<Settings> {
  return kind;
}
