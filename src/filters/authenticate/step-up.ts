import { Denial, type HeaderLine, type Place } from "../../decision/verdict.ts";
import type { Principal } from "../../message/principal.ts";
import type { Clock } from "../../support/clock.ts";
import { excerpt } from "../../support/excerpt.ts";
import { tokenChallenge, tokenChallengeOf } from "../challenge.ts";
import type { RouteContext } from "../filter.ts";

export interface StepUpSettings {
  /** Authentication context classes of which the caller's has to be one; null for any. */
  readonly acr: readonly string[] | null;
  /** How long ago the user may have shown who they are; null for whenever. */
  readonly maxAgeMs: number | null;
}

/**
 * How, and how long ago, a known caller's user was authenticated (RFC 9470), by the claims `acr` and `auth_time` (OpenID Connect
 * Core section 2). A caller without them has not shown it, whatever its kind.
 */
export class StepUp {
  readonly #settings: StepUpSettings;
  readonly #place: Place;
  readonly #clock: Clock;
  readonly #headersFor: (caller: Principal) => readonly HeaderLine[];
  readonly #wanted: string;

  constructor(
    settings: StepUpSettings,
    place: Place,
    { service, resourceMetadataUrl, clock, authenticators }: RouteContext,
  ) {
    const resource = { service, resourceMetadataUrl };
    const { acr, maxAgeMs } = settings;
    this.#settings = settings;
    this.#place = place;
    this.#clock = clock;
    const seconds = maxAgeMs === null ? null : Math.floor(maxAgeMs / 1000);
    const acrValues = acr === null ? "" : `, acr_values="${acr.join(" ")}"`;
    const maxAge = seconds === null ? "" : `, max_age="${seconds}"`;
    const error = 'error="insufficient_user_authentication", error_description="The user has to authenticate again."';
    this.#headersFor = (caller) => {
      const scheme = tokenChallengeOf(caller, authenticators) ?? tokenChallenge("Bearer", resource);
      return [["www-authenticate", `${scheme}, ${error}${acrValues}${maxAge}`]];
    };
    const wanted = [
      ...(acr === null ? [] : [`acr ${acr.join(" or ")}`]),
      ...(seconds === null ? [] : [`auth_time at most ${seconds} s ago`]),
    ];
    this.#wanted = wanted.join(", ");
  }

  judge(caller: Principal): Denial | null {
    const { claims, graceMs = 0 } = caller;
    const { acr, maxAgeMs } = this.#settings;
    const own = claims["acr"];
    if (acr !== null && (typeof own !== "string" || !acr.includes(own))) {
      return this.#refuse(caller, own === undefined ? "no acr" : `acr ${excerpt(JSON.stringify(own), 100)}`);
    }
    if (maxAgeMs === null) return null;
    const atSeconds = claims["auth_time"];
    if (typeof atSeconds !== "number" || !Number.isFinite(atSeconds)) return this.#refuse(caller, "no auth_time");
    const ageMs = this.#clock.wallMs() - atSeconds * 1000;
    // A user that authenticates in the future has a clock ahead of ours, or none that is to be believed.
    if (ageMs > maxAgeMs + graceMs || ageMs < -graceMs)
      return this.#refuse(caller, `auth_time ${Math.round(ageMs / 1000)} s ago`);
    return null;
  }

  #refuse(caller: Principal, seen: string): Denial {
    return new Denial("authentication_insufficient", this.#place, seen, this.#wanted, this.#headersFor(caller));
  }
}
