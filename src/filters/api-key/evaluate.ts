import { Denial, type Place } from "../../decision/verdict.ts";
import type { AssumedIdentity, Exchange } from "../../message/exchange.ts";
import type { Clock } from "../../support/clock.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { challenge } from "../challenge.ts";
import { type Authentication, type Authenticator, NO_CREDENTIALS } from "../filter.ts";
import type { KeyEntry, KeyTable } from "./key-table.ts";

export interface ApiKeyOptions {
  readonly name: string;
  readonly service: string;
  readonly clock: Clock;
  readonly place: Place;
  /** Lower case. */
  readonly header: string;
  readonly table: KeyTable;
}

/** A key in a header is the credential: it is hashed, found among the hashes of the policy, and has to be in date. */
export function apiKeyAuthenticator(options: ApiKeyOptions): Authenticator {
  const { name, clock, place, header, table } = options;

  const wanted = `one key of ${table.callers} callers`;
  const unknown = (seen: string): Denial => new Denial("api_key_unknown", place, seen, wanted);

  const inDate = (entry: KeyEntry): Authentication => {
    if (clock.wallMs() <= entry.notAfterMs) return entry.principal;
    const seen = `a key of ${callerOf(entry)}, not after ${new Date(entry.notAfterMs).toISOString()}`;
    return new Denial("api_key_expired", place, seen, "a key that is still valid");
  };

  const authenticate = ({ headers: { names, values } }: Exchange): Authentication => {
    const at = names.indexOf(header);
    if (at < 0) return NO_CREDENTIALS;
    // Of two keys the service might read the other one.
    if (names.indexOf(header, at + 1) >= 0) return unknown(`more than one ${header} header`);
    const key = values[at] ?? "";
    if (key.length > DEFAULTS.apiKeyBytesMax) return unknown(`a key of ${key.length} bytes`);
    const entry = table.find(key);
    return entry === null ? unknown("a key that no caller has") : inDate(entry);
  };

  const assume = (identity: AssumedIdentity): Authentication => {
    if (identity.type !== "api-key") return NO_CREDENTIALS;
    let latest: KeyEntry | null = null;
    for (const entry of table) {
      if (callerOf(entry) !== identity.caller) continue;
      if (latest === null || entry.notAfterMs > latest.notAfterMs) latest = entry;
    }
    return latest === null ? unknown(`no caller named ${JSON.stringify(identity.caller)}`) : inDate(latest);
  };

  return {
    name,
    type: "api-key",
    place,
    challenge: challenge("ApiKey", options.service),
    credentialHeaders: [header],
    ...(table.callers === 0 ? {} : { scopes: table.scopes }),
    authenticate,
    assume,
  };
}

function callerOf(entry: KeyEntry): string {
  return entry.principal.id;
}
