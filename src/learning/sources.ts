import { clientKey, parseAddress } from "../message/address.ts";
import type { DecisionFacts } from "../records/decision-facts.ts";
import { DEFAULTS } from "../support/defaults.ts";

/** All further clients, as one. */
export const OTHERS = 0;

/** Clients by number: whom an authenticator knows by that, others by their certificate or address. */
export class Sources {
  readonly #numbers = new Map<string, number>();

  numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    if (this.#numbers.size >= DEFAULTS.learnSourcesMax) return OTHERS;
    const number = this.#numbers.size + 1;
    this.#numbers.set(text, number);
    return number;
  }
}

/** Whether postern knew who asked. */
export function isKnown({ principal }: DecisionFacts): boolean {
  return principal !== null && principal.type !== "anonymous";
}

/** One text for one client. Of IPv6 the /64: within it there are more addresses than anybody could count. */
export function sourceOf(facts: DecisionFacts): string {
  const { principal, certificate } = facts;
  if (principal !== null && isKnown(facts)) return `caller ${principal.authenticator}/${principal.id}`;
  if (certificate !== null && certificate.untrusted === null) return `certificate ${certificate.fingerprint}`;
  return addressOf(facts);
}

export function addressOf({ client }: DecisionFacts): string {
  const address = parseAddress(client);
  return `address ${address === null ? client : clientKey(address)}`;
}
