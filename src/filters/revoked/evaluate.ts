import { isToken } from "../../attributes/principal-facts.ts";
import { Denial } from "../../decision/verdict.ts";
import type { ClientCertificate } from "../../message/connection.ts";
import { canonicalName } from "../../message/distinguished-name.ts";
import type { Principal } from "../../message/principal.ts";
import type { Clock } from "../../support/clock.ts";
import type { RevokedEntry, RevokedList, RevokedTable } from "./revoked-table.ts";
import type { RevokedKind } from "./schema.ts";
import { certificateSerial } from "./serial.ts";

/** Claims that a list of the same name is about; `sub` and `sid` may be good again when they were issued later. */
const TOKEN_KINDS = ["jti", "sub", "sid"] as const;

type Lists = { readonly [K in RevokedKind]: RevokedList | null };

/**
 * What is refused from now on, of what its authenticators call good. Asked at every request and whenever a stream that lasts
 * is judged again, of what authenticators remember too. Where it cannot be told that an entry is about somebody else (no `iss`,
 * no `iat`), it counts: whoever is in the list must not get round it by what a token leaves out.
 */
export class Revocations {
  readonly #clock: Clock;
  readonly #file: string;
  readonly #lists: Lists;
  readonly #hasTokens: boolean;

  /** `file`: as its places name it. */
  constructor(table: RevokedTable, file: string, clock: Clock) {
    this.#clock = clock;
    this.#file = file;
    this.#lists = {
      jti: table.list("jti"),
      sub: table.list("sub"),
      sid: table.list("sid"),
      serials: table.list("serials"),
      callers: table.list("callers"),
    };
    this.#hasTokens = TOKEN_KINDS.some((kind) => this.#lists[kind] !== null);
  }

  /** Null for a caller that is not revoked. */
  ofPrincipal(principal: Principal): Denial | null {
    const { callers } = this.#lists;
    if (callers !== null) {
      const met = callers.get(principal.id)?.find((entry) => this.#meets(entry, principal));
      if (met !== undefined) return this.#denial("callers", met, "caller is revoked");
    }
    return this.#hasTokens && isToken(principal) ? this.#ofToken(principal) : null;
  }

  /** Null for none, and for one that is not revoked. */
  ofCertificate(certificate: ClientCertificate | null): Denial | null {
    const { serials } = this.#lists;
    // Of names that a proxy tells there is no number.
    if (serials === null || certificate === null || certificate.serialNumber === "") return null;
    const serial = certificateSerial(certificate.serialNumber);
    const entries = serials.get(serial);
    if (entries === undefined) return null;
    const issuer = canonicalName(certificate.issuer);
    const met = entries.find(
      (entry) => this.#isInForce(entry) && (entry.issuer === null || issuer === null || entry.issuer === issuer),
    );
    if (met === undefined) return null;
    const seen = `serial ${serial} of ${JSON.stringify(certificate.issuer.slice(0, 256))} is revoked`;
    return this.#denial("serials", met, seen);
  }

  #ofToken(principal: Principal): Denial | null {
    for (const kind of TOKEN_KINDS) {
      const list = this.#lists[kind];
      if (list === null) continue;
      const claim = principal.claims[kind];
      // Issuers that number their users write numbers.
      const value = Number.isSafeInteger(claim) ? String(claim) : claim;
      if (typeof value !== "string") continue;
      const met = list.get(value)?.find((entry) => this.#meets(entry, principal));
      if (met !== undefined) return this.#denial(kind, met, `${kind} is revoked${since(met)}`);
    }
    return null;
  }

  #meets(entry: RevokedEntry, { authenticator, claims }: Principal): boolean {
    if (!this.#isInForce(entry)) return false;
    if (entry.authenticator !== null && entry.authenticator !== authenticator) return false;
    const { iss, iat } = claims;
    if (entry.issuer !== null && typeof iss === "string" && iss !== entry.issuer) return false;
    return typeof iat !== "number" || !(iat * 1000 >= entry.issuedBeforeMs);
  }

  #isInForce({ untilMs }: RevokedEntry): boolean {
    return untilMs === Infinity || this.#clock.wallMs() <= untilMs;
  }

  #denial(kind: RevokedKind, { at, line, column }: RevokedEntry, seen: string): Denial {
    const place = { file: this.#file, line, column, path: `${kind}[${at}]` };
    return new Denial("credential_revoked", place, seen, "a credential that is not revoked");
  }
}

function since({ issuedBeforeMs }: RevokedEntry): string {
  return issuedBeforeMs === Infinity ? "" : ` where issued before ${new Date(issuedBeforeMs).toISOString()}`;
}
