import { CONTINUE, Denial, type Place, type Verdict } from "../../decision/verdict.ts";
import { compileKey, type KeyFault, type KeyPartSettings, type KeyReader } from "../../limits/key.ts";
import { KeyHash } from "../../limits/rate/key-hash.ts";
import type { Exchange } from "../../message/exchange.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { CompileContext, LimitKey } from "../filter.ts";
import type { LadderSeed } from "../ladder.ts";
import { expressions } from "./key-language.ts";

/** By what a limit counts, as the policy has it. */
export interface KeySettings {
  readonly key: readonly KeyPartSettings[];
  readonly ipv6Prefix?: number | undefined;
  readonly absent?: Absent | undefined;
}

/** What becomes of requests in which a part of the key is absent. */
export type Absent = "deny" | "unlimited" | { readonly key: readonly KeyPartSettings[] };

/** By what a limit counts, compiled, and what it does where a request has no key. */
export class CompiledKey implements LimitKey {
  readonly reader: KeyReader;
  readonly #absent: "deny" | "unlimited";
  readonly #place: Place;
  readonly #ladder: KeyHash;
  readonly #ladderPrefix: KeyHash;

  constructor(name: string, reader: KeyReader, absent: "deny" | "unlimited", place: Place, seed: LadderSeed) {
    this.reader = reader;
    this.#absent = absent;
    this.#place = place;
    this.#ladder = new KeyHash(seed);
    this.#ladderPrefix = new KeyHash(seed);
    this.#ladderPrefix.text(name);
  }

  /** Whether requests without it are refused. */
  get isWanted(): boolean {
    return this.reader.mayBeAbsent && this.#absent === "deny";
  }

  /** The request lacks a part of it, and passes without being counted. */
  isUnlimited(exchange: Exchange, template: string): boolean {
    if (this.#absent !== "unlimited") return false;
    return this.reader.missing(exchange, template)?.isAmbiguous === false;
  }

  /** What becomes of a request for which `reader.feed` is false. */
  verdict(exchange: Exchange, template: string): Verdict {
    const missing = this.reader.missing(exchange, template);
    if (missing?.isAmbiguous !== true && this.#absent === "unlimited") return CONTINUE;
    const seen = `${missing?.text ?? "the key"} ${missing?.isAmbiguous === true ? "in more than one reading" : "(absent)"}`;
    return new Denial("limit_key_missing", this.#place, seen, "what the limit counts by, once");
  }

  share(exchange: Exchange, template: string): number | null {
    if (!this.reader.feed(this.#ladder, this.#ladderPrefix, exchange, template)) return null;
    this.#ladder.finish();
    return (this.#ladder.high >>> 0) / 2 ** 32;
  }
}

/** Settings → key, or null with problems reported. */
export function compileLimitKey(name: string, settings: KeySettings, context: CompileContext): CompiledKey | null {
  const { absent } = settings;
  const reader = readerOf(settings.key, ["key"], settings, context);
  const instead = typeof absent === "object" ? readerOf(absent.key, ["absent", "key"], settings, context) : null;
  if (reader === null || (typeof absent === "object" && instead === null)) return null;
  if (reader.mayBeAbsent && absent === undefined) {
    context.problem(
      "a part of the key may be absent; expected 'absent' to say what becomes of such requests: deny, unlimited or { key: client.address }",
      "key",
    );
    return null;
  }
  if (!reader.mayBeAbsent && absent !== undefined)
    context.warning("no_effect", "the key is never absent, so this is of no use", "absent");
  if (instead?.mayBeAbsent === true) {
    context.problem(
      "this may be absent as well; expected a key that every request has, as client.address",
      "absent",
      "key",
    );
    return null;
  }
  const whole = instead === null ? reader : reader.orElse(instead);
  const otherwise = absent === "unlimited" ? "unlimited" : "deny";
  return new CompiledKey(name, whole, otherwise, context.place("key"), context.ladderSeed);
}

function readerOf(
  parts: readonly KeyPartSettings[],
  path: readonly string[],
  { ipv6Prefix = DEFAULTS.limitIpv6Prefix }: KeySettings,
  context: CompileContext,
): KeyReader | null {
  const hasExpression = parts.some((part) => typeof part !== "string");
  const reader = compileKey(parts, {
    ipv6Prefix,
    world: context,
    expressions: hasExpression ? expressions.get().expressionPart : null,
  });
  if (!isFaults(reader)) return reader;
  for (const { at, offset, text } of reader) {
    const place = parts.length === 1 ? path : [...path, at];
    if (offset === undefined) context.problem(text, ...place);
    else context.problemWithin(offset, text, ...place, "expression");
  }
  return null;
}

function isFaults(reader: KeyReader | readonly KeyFault[]): reader is readonly KeyFault[] {
  return Array.isArray(reader);
}
