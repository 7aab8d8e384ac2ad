import type { Place } from "../../decision/verdict.ts";
import { Denial } from "../../decision/verdict.ts";
import type { AssumedIdentity, Exchange } from "../../message/exchange.ts";
import type { Clock } from "../../support/clock.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { judgeValidity } from "../caller-principal.ts";
import { challenge } from "../challenge.ts";
import { type CredentialSource, Unreadable } from "../credential-source.ts";
import { type Authentication, type Authenticator, NO_CREDENTIALS } from "../filter.ts";
import type { KeyEntry, KeyTable } from "./key-table.ts";
import type { KeyUses } from "./key-uses.ts";
import { misplacedKeys } from "./sources.ts";

export interface ApiKeyOptions {
  readonly name: string;
  readonly service: string;
  readonly clock: Clock;
  readonly place: Place;
  readonly source: CredentialSource;
  /** Lower case. */
  readonly credentialHeaders: readonly string[];
  readonly credentialCookies: readonly string[];
  readonly credentialParameters: readonly string[];
  /** The word before the key in Authorization, or the name of the challenge. */
  readonly scheme: string;
  readonly table: KeyTable;
  readonly uses: KeyUses;
}

const REASONS = { early: "api_key_not_yet_valid", late: "api_key_expired" } as const;

/** Three parts of base64url, the first of which begins with `{"`: a token for somebody else. */
const TOKEN = /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/;

/** A key is the credential: it is hashed, found among the hashes of the policy, and has to be in date. */
export function apiKeyAuthenticator(options: ApiKeyOptions): Authenticator {
  const { name, clock, place, source, table, uses } = options;
  const isBearer = options.scheme === "Bearer";

  const wanted = `one key of ${table.callers} callers`;
  const unknown = (seen: string): Denial => new Denial("api_key_unknown", place, seen, wanted);

  const inDate = (entry: KeyEntry, nowMs: number): Authentication =>
    nowMs <= entry.notAfterMs && nowMs >= entry.notBeforeMs
      ? entry.principal
      : (judgeValidity(entry, REASONS, `a key of ${callerOf(entry)}`, place, nowMs) ?? entry.principal);

  const authenticate = (exchange: Exchange): Authentication => {
    const key = source.read(exchange);
    if (key === null) return NO_CREDENTIALS;
    if (key instanceof Unreadable) return unknown(key.seen);
    if (key.length > DEFAULTS.apiKeyBytesMax) {
      return isBearer && TOKEN.test(key) ? NO_CREDENTIALS : unknown(`a key of ${key.length} bytes`);
    }
    const entry = table.find(key);
    if (entry === null) return isBearer && TOKEN.test(key) ? NO_CREDENTIALS : unknown("a key that no caller has");
    const nowMs = clock.wallMs();
    const answer = inDate(entry, nowMs);
    if (answer === entry.principal) noteUse(entry, uses, nowMs);
    else exchange.account = entry.principal.key;
    return answer;
  };

  const assume = (identity: AssumedIdentity): Authentication => {
    if (identity.type !== "api-key") return NO_CREDENTIALS;
    let latest: KeyEntry | null = null;
    for (const entry of table) {
      if (callerOf(entry) !== identity.caller) continue;
      if (latest === null || entry.notAfterMs > latest.notAfterMs) latest = entry;
    }
    // The text may be a whole key, so that it is not repeated.
    latest ??= table.find(identity.caller);
    return latest === null ? unknown("neither a caller of this name nor a key") : inDate(latest, clock.wallMs());
  };

  return {
    name,
    type: "api-key",
    place,
    challenge: challenge(options.scheme, options.service),
    credentialHeaders: options.credentialHeaders,
    credentialCookies: options.credentialCookies,
    credentialParameters: options.credentialParameters,
    ...(table.callers === 0 ? {} : { scopes: table.scopes }),
    limits: table.limits,
    authenticate,
    misplaced: (exchange) => misplacedKeys(exchange, source, (key) => table.find(key) !== null),
    callers: () => table.principals(),
    uses: () => uses.all(),
    assume,
  };
}

function noteUse(entry: KeyEntry, uses: KeyUses, nowMs: number): void {
  entry.use ??= uses.of(entry.digest.toString("hex"), callerOf(entry), entry.name);
  if (entry.use !== null) entry.use.lastUsedMs = nowMs;
}

function callerOf(entry: KeyEntry): string {
  return entry.principal.id;
}
