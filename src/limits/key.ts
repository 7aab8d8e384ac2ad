import { attributeName, withoutCredential } from "../attributes/attribute.ts";
import type { Phase } from "../decision/phases.ts";
import type { Exchange } from "../message/exchange.ts";
import type { Clock } from "../support/clock.ts";
import {
  AddressPart,
  AttributePart,
  type KeyPart,
  latestPhase,
  PrincipalPart,
  RoutePart,
  refusalOf,
} from "./key-parts.ts";
import type { KeyHash } from "./rate/key-hash.ts";

/** A part of a key as the policy has it: `principal`, an attribute, or an expression in CEL. */
export type KeyPartSettings = string | { readonly expression: string };

/** What is wrong with the `at`th part of a key; `offset` within an expression. */
export interface KeyFault {
  readonly at: number;
  readonly offset?: number;
  readonly text: string;
}

/** What makes parts of expressions; only policies that have one load it. */
export type ExpressionParts = (source: string, world: KeyWorld) => KeyPart | Omit<KeyFault, "at">;

/** What a key needs of the policy that has it. */
export interface KeyWorld {
  readonly clock: Pick<Clock, "wallMs">;
  isCredentialHeader(name: string): boolean;
  /** A text of the policy as it may be shown. */
  shown(text: string): string;
  /** The same with an `x` for each character that came from elsewhere. */
  ownText(text: string): string;
}

export interface KeyOptions {
  /** How many bits of an IPv6 address are one client. */
  readonly ipv6Prefix: number;
  readonly world: KeyWorld;
  readonly expressions: ExpressionParts | null;
}

/** Why a request has no key: the part of it, and whether it has none or several readings. */
export interface MissingPart {
  readonly text: string;
  readonly isAmbiguous: boolean;
}

/** Stands between a key and the one that takes its place, so that the two are never one. */
const INSTEAD = 99;

/** Reads by what a request is counted. */
export class KeyReader {
  readonly phase: "admit" | "limit";
  /** The first phase whose checks can read it. */
  readonly from: Phase;
  /** Of the settings: the same for the same key, whatever policy asks. */
  readonly identity: string;
  readonly mayBeAbsent: boolean;
  /** The request's method is in it, or in what takes its place. */
  readonly hasMethod: boolean;
  readonly #parts: readonly KeyPart[];
  /** Counts where a part of this one is absent. */
  readonly #instead: KeyReader | null;

  constructor(parts: readonly KeyPart[], instead: KeyReader | null = null) {
    this.#parts = parts;
    this.#instead = instead;
    const isAdmit = parts.every(({ phase }) => phase === "admit") && instead?.phase !== "limit";
    this.phase = isAdmit ? "admit" : "limit";
    this.from = latestPhase([...parts.map(({ from }) => from), instead?.from ?? "admit"]);
    const own = JSON.stringify(parts.map(({ text }) => text));
    this.identity = instead === null ? own : `${own} else ${instead.identity}`;
    this.mayBeAbsent = instead === null && parts.some((part) => part.mayBeAbsent);
    this.hasMethod = parts.some((part) => part.hasMethod === true) || instead?.hasMethod === true;
  }

  /** The same key, and another one for requests in which a part of it is absent. */
  orElse(instead: KeyReader): KeyReader {
    return new KeyReader(this.#parts, instead);
  }

  /** A route counts by it; the fault of the first part that this route cannot have. */
  bindRoute(template: string): Omit<KeyFault, "at"> | null {
    for (const part of this.#parts) {
      const fault = part.bindRoute(template);
      if (fault !== null) return fault;
    }
    return this.#instead?.bindRoute(template) ?? null;
  }

  /** Begins `hash` as `prefix` and feeds the key. False where the request has none; the hash is of no use then. */
  feed(hash: KeyHash, prefix: KeyHash, exchange: Exchange, template: string): boolean {
    hash.copy(prefix);
    for (const part of this.#parts) {
      if (!part.feed(hash, exchange, template)) return this.#feedInstead(hash, prefix, exchange, template);
    }
    return true;
  }

  /** The key as text, the same in every process and no other key's; null where the request has none. */
  text(exchange: Exchange, template: string): string | null {
    const only = this.#parts.length === 1 ? this.#parts[0]?.canonical(exchange, template) : undefined;
    if (typeof only === "string") return only;
    const texts: string[] = [];
    for (const part of this.#parts) {
      const text = part.canonical(exchange, template);
      if (text === null) {
        if (this.#instead === null || this.missing(exchange, template)?.isAmbiguous === true) return null;
        const instead = this.#instead.text(exchange, template);
        return instead === null ? null : `else ${instead}`;
      }
      texts.push(text);
    }
    return texts.join(" ");
  }

  /** The text of the key that people call so, as `describe` shows it; null where that does not say it, as of several parts. */
  textOf(label: string): string | null {
    const [part] = this.#parts;
    return this.#parts.length === 1 ? (part?.canonicalOf?.(label) ?? null) : null;
  }

  /** The first part that the request has not, or not once; null where it has all of them. */
  missing(exchange: Exchange, template: string): MissingPart | null {
    for (const part of this.#parts) {
      if (part.canonical(exchange, template) !== null) continue;
      return { text: part.text, isAmbiguous: part.isAmbiguous(exchange, template) };
    }
    return null;
  }

  /** For logs and `explain`: names and values, as far as the attribute table lets them show. */
  describe(exchange: Exchange, template: string): string {
    if (this.#instead !== null && this.missing(exchange, template) !== null) {
      return this.#instead.describe(exchange, template);
    }
    return this.#parts.map((part) => part.describe(exchange, template)).join(", ");
  }

  /** Of two readings of a key one would be counted and the other be believed: nothing takes its place. */
  #feedInstead(hash: KeyHash, prefix: KeyHash, exchange: Exchange, template: string): boolean {
    if (this.#instead === null || this.missing(exchange, template)?.isAmbiguous === true) return false;
    if (!this.#instead.feed(hash, prefix, exchange, template)) return false;
    hash.word(INSTEAD);
    return true;
  }
}

/** Settings → reader, or what is wrong with which part. */
export function compileKey(settings: readonly KeyPartSettings[], options: KeyOptions): KeyReader | readonly KeyFault[] {
  const faults: KeyFault[] = [];
  const parts: KeyPart[] = [];
  for (const [at, one] of settings.entries()) {
    const part = compilePart(one, options);
    if ("phase" in part) parts.push(part);
    else faults.push({ at, ...part });
  }
  return faults.length > 0 ? faults : new KeyReader(parts);
}

function compilePart(settings: KeyPartSettings, options: KeyOptions): KeyPart | Omit<KeyFault, "at"> {
  if (typeof settings !== "string") {
    if (options.expressions === null) throw new Error("the expressions of keys must have been loaded before");
    return options.expressions(settings.expression, options.world);
  }
  if (settings === "principal") return new PrincipalPart(options.ipv6Prefix);
  const name = attributeName(settings);
  if (!name.ok) return { text: name.error };
  const { row } = name.value;
  if (row.name === "client.address") return new AddressPart(options.ipv6Prefix);
  if (row.name === "route") return new RoutePart();
  const refusal = refusalOf(name.value);
  return refusal === null
    ? AttributePart.of(withoutCredential(name.value, options.world.isCredentialHeader), options.world.clock)
    : { text: refusal };
}
