import type { Attribute } from "../../attributes/attribute.ts";
import { isNothing } from "../../attributes/equal.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { Principal } from "../../message/principal.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { visible } from "./visible.ts";

/** A line by which the service is told of the caller. Nothing of its name passes from outside. */
export interface IdentityLine {
  /** Lower case. */
  readonly name: string;
  /** The same for all requests of a principal, for as long as there are such. */
  readonly isOfPrincipal: boolean;
  /** Two that are equal write the same. */
  toJSON(): readonly string[];
  /**
   * `name: value\r\n`, or nothing where there is nothing to say. Of a caller that is known, what it should say and cannot is added to
   * `untold`: the header's name, or a token's with the claim behind it.
   */
  line(exchange: Exchange, untold: string[]): string;
}

/** An attribute as a header. */
export class IdentityHeader implements IdentityLine {
  /** Lower case. */
  readonly name: string;
  readonly #attribute: Attribute;
  /** Where it is found: a path parameter stands in another place on another route. Null where this route has none such. */
  readonly #where: string | null;

  constructor(name: string, attribute: Attribute, where: string | null) {
    this.name = name;
    this.#attribute = attribute;
    this.#where = where;
  }

  /** The same for all requests of a principal. */
  get isOfPrincipal(): boolean {
    return this.#attribute.row.from === "authorize";
  }

  /** Two that are equal write the same. */
  toJSON(): readonly string[] {
    return [this.name, this.#attribute.text, this.#where ?? "-"];
  }

  /** `name: value\r\n`, or nothing where there is no value that a header could hold. */
  line(exchange: Exchange, untold: string[]): string {
    const value = headerText(this.#attribute.read(exchange), this.#attribute.type === "time");
    if (value !== null) return `${this.name}: ${value}\r\n`;
    if (this.#where !== null && isKnown(exchange.principal)) untold.push(this.name);
    return "";
  }
}

/**
 * A value as a header has it: a text with everything that is not visible ASCII, and `%`, percent-encoded as UTF-8; a list's items with
 * commas between them, commas inside one encoded as well. Null for what is not there or has no such text.
 */
export function headerText(value: unknown, isTime: boolean): string | null {
  if (isNothing(value)) return null;
  if (isTime && typeof value === "number") return new Date(value).toISOString();
  if (!Array.isArray(value)) return fitting(itemText(value));
  if (value.length > DEFAULTS.identityHeaderBytesMax) return null;
  const items = value.map(itemText);
  if (items.length === 0 || items.includes(null)) return null;
  return fitting(items.map((item) => item?.replaceAll(",", "%2C")).join(","));
}

function fitting(text: string | null): string | null {
  return text === null || text === "" || text.length > DEFAULTS.identityHeaderBytesMax ? null : text;
}

/** Of a whole number beyond ±2^53 its neighbour may have come; half a pair of surrogates has no bytes. */
function itemText(value: unknown): string | null {
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number") return Number.isInteger(value) && !Number.isSafeInteger(value) ? null : String(value);
  if (typeof value !== "string" || value === "" || value.length > DEFAULTS.identityHeaderBytesMax) return null;
  return value.isWellFormed() ? visible(value) : null;
}

/** Of nobody, and of a caller without credentials, nothing is expected. */
function isKnown(principal: Principal | null): principal is Principal {
  return principal !== null && principal.type !== "anonymous";
}

interface Told {
  readonly lines: string;
  /** What could not be said. */
  readonly untold: readonly string[];
}

/**
 * Headers → their lines for one request. What only the principal decides is written once for each. What cannot be said is noted
 * with what else did not reach the service: nobody would find a header that is not there.
 */
export function identityWriter(headers: readonly IdentityLine[]): (exchange: Exchange) => string {
  const ofPrincipal = headers.filter((header) => header.isOfPrincipal);
  const ofRequest = headers.filter((header) => !header.isOfPrincipal);
  const known = new WeakMap<Principal, Told>();
  const tell = (some: readonly IdentityLine[], exchange: Exchange): Told => {
    const untold: string[] = [];
    return { lines: some.map((header) => header.line(exchange, untold)).join(""), untold };
  };
  return (exchange) => {
    const { principal } = exchange;
    let told = principal === null ? NOTHING_TOLD : known.get(principal);
    if (told === undefined) {
      told = tell(ofPrincipal, exchange);
      if (principal !== null) known.set(principal, told);
    }
    const more = ofRequest.length === 0 ? NOTHING_TOLD : tell(ofRequest, exchange);
    if (told.untold.length + more.untold.length > 0) {
      // Before what a client sent, of which there may be more than the log shows.
      exchange.withheld = [...told.untold, ...more.untold, ...(exchange.withheld ?? [])];
    }
    return told.lines + more.lines;
  };
}

const NOTHING_TOLD: Told = { lines: "", untold: [] };
