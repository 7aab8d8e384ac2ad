import { type Attribute, type AttributeName, bindAttribute } from "../attributes/attribute.ts";
import { shownValue } from "../attributes/shown.ts";
import { AMBIGUOUS, type Read } from "../attributes/types.ts";
import { PHASES, type Phase } from "../decision/phases.ts";
import { paramNames, parseTemplate } from "../matching/template.ts";
import { networkText, parseAddress } from "../message/address.ts";
import { plainCookie } from "../message/cookies.ts";
import type { Exchange } from "../message/exchange.ts";
import type { Principal } from "../message/principal.ts";
import type { Clock } from "../support/clock.ts";
import { excerpt } from "../support/excerpt.ts";
import { feedValue, valueText } from "./key-values.ts";
import type { KeyHash } from "./rate/key-hash.ts";

/** One part of a key. */
export interface KeyPart {
  /** As the policy has it, in one spelling. */
  readonly text: string;
  /** The first phase of limits in which it is known. */
  readonly phase: "admit" | "limit";
  /** The first phase whose checks can read it. */
  readonly from: Phase;
  readonly mayBeAbsent: boolean;
  /** The request's method is in it. */
  readonly hasMethod?: boolean;
  /** Null, or why a route of this template cannot be counted by it. */
  bindRoute(template: string): { readonly text: string; readonly offset?: number } | null;
  /** False where the request has no value, or not one. */
  feed(hash: KeyHash, exchange: Exchange, template: string): boolean;
  /** The value as text that no other value has; null where `feed` is false. */
  canonical(exchange: Exchange, template: string): string | null;
  /** Of a value as `describe` shows it, with the part's name or without; null where that is none. */
  canonicalOf?(label: string): string | null;
  /** The request has it in more than one reading. */
  isAmbiguous(exchange: Exchange, template: string): boolean;
  describe(exchange: Exchange, template: string): string;
}

/** Kinds of parts, fed before the part itself, so that an address never equals a header's text. */
const ADDRESS = 1;
const PRINCIPAL = 2;
const ANONYMOUS = 3;
const ROUTE = 4;

/** A client's address: one of IPv4; of IPv6 a network, for whoever has one address has all of its /64 (RFC 6177). */
export class AddressPart implements KeyPart {
  readonly text: string;
  readonly phase = "admit";
  readonly from = "admit";
  readonly mayBeAbsent = false;
  readonly #prefix: number;
  readonly #words: number;
  /** Of the last word that is not whole; 0 where all are. */
  readonly #mask: number;

  /** `prefix`: bits of an IPv6 address, 1 to 128. */
  constructor(prefix: number) {
    this.text = `client.address/${prefix}`;
    this.#prefix = prefix;
    this.#words = prefix >>> 5;
    this.#mask = (prefix & 31) === 0 ? 0 : -1 << (32 - (prefix & 31));
  }

  bindRoute(): null {
    return null;
  }

  feed(hash: KeyHash, { clientAddress: { family, w0, w1, w2, w3 } }: Exchange): boolean {
    hash.word(ADDRESS | (family << 8));
    if (family === 4) {
      hash.word(w0);
      return true;
    }
    const words = this.#words;
    if (words > 0) hash.word(w0);
    if (words > 1) hash.word(w1);
    if (words > 2) hash.word(w2);
    if (words > 3) hash.word(w3);
    if (this.#mask !== 0) hash.word((words === 0 ? w0 : words === 1 ? w1 : words === 2 ? w2 : w3) & this.#mask);
    return true;
  }

  canonical({ clientAddress }: Exchange): string {
    return networkText(clientAddress, this.#prefix);
  }

  canonicalOf(label: string): string | null {
    const address = parseAddress(without("client.address ", label));
    return address === null ? null : networkText(address, this.#prefix);
  }

  isAmbiguous(): boolean {
    return false;
  }

  describe({ clientAddress }: Exchange): string {
    return `client.address ${clientAddress.text}`;
  }
}

/** Who asks. Without a caller the address takes its place: leaving the credentials out must not open a counter for all. */
export class PrincipalPart implements KeyPart {
  readonly text: string;
  readonly phase = "limit";
  readonly from = "authorize";
  readonly mayBeAbsent = false;
  readonly #address: AddressPart;

  constructor(ipv6Prefix: number) {
    this.#address = new AddressPart(ipv6Prefix);
    this.text = `principal or ${this.#address.text}`;
  }

  bindRoute(): null {
    return null;
  }

  feed(hash: KeyHash, exchange: Exchange): boolean {
    const { principal } = exchange;
    if (isNobody(principal)) {
      hash.word(ANONYMOUS);
      return this.#address.feed(hash, exchange);
    }
    hash.word(PRINCIPAL);
    hash.text(principal.key);
    return true;
  }

  canonical(exchange: Exchange): string {
    const { principal } = exchange;
    return isNobody(principal) ? this.#address.canonical(exchange) : JSON.stringify(principal.key);
  }

  canonicalOf(label: string): string | null {
    const address = this.#address.canonicalOf(without("anonymous ", label));
    return address ?? JSON.stringify(without("principal ", label));
  }

  isAmbiguous(): boolean {
    return false;
  }

  describe(exchange: Exchange): string {
    const { principal } = exchange;
    return isNobody(principal)
      ? `anonymous ${this.#address.describe(exchange)}`
      : `principal ${excerpt(principal.key, 128)}`;
  }
}

function without(name: string, label: string): string {
  return label.startsWith(name) ? label.slice(name.length) : label;
}

function isNobody(principal: Principal | null): principal is null {
  return principal === null || principal.type === "anonymous";
}

/** The route, by its template. */
export class RoutePart implements KeyPart {
  readonly text = "route";
  readonly phase = "limit";
  readonly from = "authenticate";
  readonly mayBeAbsent = false;
  /** Of the last request: a route's requests come in rows. */
  #template = "";
  #canonical = '""';

  bindRoute(): null {
    return null;
  }

  feed(hash: KeyHash, _: Exchange, template: string): boolean {
    hash.word(ROUTE);
    hash.text(template);
    return true;
  }

  canonical(_: Exchange, template: string): string {
    if (template !== this.#template) {
      this.#template = template;
      this.#canonical = JSON.stringify(template);
    }
    return this.#canonical;
  }

  isAmbiguous(): boolean {
    return false;
  }

  describe(_: Exchange, template: string): string {
    return `route ${template}`;
  }
}

/** Whatever else the attribute table has. */
export class AttributePart implements KeyPart {
  readonly text: string;
  readonly phase: "admit" | "limit";
  readonly from: Phase;
  readonly mayBeAbsent: boolean;
  readonly hasMethod: boolean;
  readonly #name: AttributeName;
  readonly #clock: Pick<Clock, "wallMs">;
  /** Null where it depends on the route. */
  readonly #fixed: Read | null;
  readonly #byTemplate = new Map<string, Read>();

  private constructor(name: AttributeName, fixed: Read | null, clock: Pick<Clock, "wallMs">) {
    this.text = name.text;
    this.phase = phaseOf(name.row.from) ?? "limit";
    this.from = name.row.from;
    this.mayBeAbsent = !ALWAYS_THERE.has(name.row.name);
    this.hasMethod = name.row.name === "request.method";
    this.#name = name;
    this.#fixed = fixed;
    this.#clock = clock;
  }

  static of(name: AttributeName, clock: Pick<Clock, "wallMs">): AttributePart | { readonly text: string } {
    if (name.row.name === "path") return new AttributePart(name, null, clock);
    const phase = phaseOf(name.row.from) ?? "limit";
    const bound = bindAttribute(name, { phase, parameters: null, route: null, clock });
    return bound.ok ? new AttributePart(name, keyRead(bound.value), clock) : { text: bound.error };
  }

  bindRoute(template: string): { readonly text: string } | null {
    if (this.#fixed !== null || this.#byTemplate.has(template)) return null;
    const parsed = parseTemplate(template);
    const parameters = parsed.ok ? paramNames(parsed.value) : [];
    const bound = bindAttribute(this.#name, { phase: "limit", parameters, route: template, clock: this.#clock });
    if (!bound.ok) return { text: `${bound.error} (${template})` };
    this.#byTemplate.set(template, bound.value.read);
    return null;
  }

  feed(hash: KeyHash, exchange: Exchange, template: string): boolean {
    return feedValue(hash, this.#read(exchange, template));
  }

  canonical(exchange: Exchange, template: string): string | null {
    return valueText(this.#read(exchange, template));
  }

  canonicalOf(label: string): string | null {
    return valueText(without(`${this.text} `, label).replace(/^"(.*)"$/, "$1"));
  }

  isAmbiguous(exchange: Exchange, template: string): boolean {
    return this.#read(exchange, template) === AMBIGUOUS;
  }

  describe(exchange: Exchange, template: string): string {
    const { row, shown } = this.#name;
    return `${this.text} ${shownValue({ shown, type: row.type }, this.#read(exchange, template))}`;
  }

  #read(exchange: Exchange, template: string): unknown {
    return (this.#fixed ?? this.#byTemplate.get(template))?.(exchange);
  }
}

/** An attribute as keys read it: what services take for one value has to be one. */
export function keyRead({ row, read }: Attribute): Read {
  if (row.name !== "request.cookies") return read;
  return (exchange) => {
    const value = read(exchange);
    return typeof value === "string" ? plainCookie(value) : value;
  };
}

/** Attributes that no request lacks: what a client can leave out needs a word of the policy. */
const ALWAYS_THERE: ReadonlySet<string> = new Set([
  "request.method",
  "request.path",
  "request.host",
  "path",
  "upstream",
]);

/** Why an attribute cannot be a key; null where it can. */
export function refusalOf({ row, text }: AttributeName): string | null {
  if (row.type === "time") return `'${text}' is another at each request, and no key`;
  return phaseOf(row.from) === null ? `'${text}' is not known yet where limits are asked; expected another one` : null;
}

/** Where a limit can be asked that looks at what is known from `phase` on; null where none can. */
export function phaseOf(phase: Phase): "admit" | "limit" | null {
  if (PHASES.indexOf(phase) <= PHASES.indexOf("admit")) return "admit";
  return PHASES.indexOf(phase) <= PHASES.indexOf("limit") ? "limit" : null;
}

/** The last of them: from when on all are known. */
export function latestPhase(phases: readonly Phase[]): Phase {
  return phases.reduce((last, one) => (PHASES.indexOf(one) > PHASES.indexOf(last) ? one : last), "admit");
}
