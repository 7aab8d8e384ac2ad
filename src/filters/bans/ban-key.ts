import type { Phase } from "../../decision/phases.ts";
import type { KeyHash } from "../../limits/rate/key-hash.ts";
import { isAddressless } from "../../message/address.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { CompileContext } from "../filter.ts";
import { type CompiledKey, compileLimitKey } from "../limit/key.ts";
import type { BanSettings } from "./schema.ts";

/** By what a ban counts, and whom it meets. */
export interface BanKey {
  /** The same for the same key, whatever policy asks. */
  readonly by: string;
  /** The first phase whose checks can read it. */
  readonly from: Phase;
  /** A key as limits have it; null for accounts. */
  readonly compiled: CompiledKey | null;
  /** Feeds it behind `prefix`; false where the request has none. */
  feed(hash: KeyHash, prefix: KeyHash, exchange: Exchange, template: string): boolean;
  /** Whether it would be the address of nobody: of a Unix socket, or of a proxy that speaks for many clients. */
  isOfMany(exchange: Exchange, template: string, isProxy: boolean): boolean;
  /** For lists and the log, as far as it may be shown. */
  label(exchange: Exchange, template: string): string;
}

/** The account that a failed login was for. */
const ACCOUNT: BanKey = {
  by: "account",
  from: "authenticate",
  compiled: null,
  feed(hash, prefix, { account }) {
    if (account === null) return false;
    hash.copy(prefix);
    hash.text(account);
    return true;
  },
  isOfMany: () => false,
  label: ({ account }) => account ?? "",
};

class AnyKey implements BanKey {
  readonly by: string;
  readonly from: Phase;
  readonly compiled: CompiledKey;
  readonly #hasAddress: boolean;
  readonly #hasPrincipal: boolean;
  /** What takes its place where it is absent has the address. */
  readonly #elseAddress: boolean;
  readonly #isAddressAlone: boolean;

  constructor(compiled: CompiledKey, { key, absent }: BanSettings) {
    const instead = typeof absent === "object" ? absent.key : [];
    this.compiled = compiled;
    this.by = compiled.reader.identity;
    this.from = compiled.reader.from;
    this.#hasAddress = key.some(namesAddress);
    this.#hasPrincipal = key.includes("principal") || instead.includes("principal");
    this.#elseAddress = instead.some(namesAddress);
    this.#isAddressAlone = key.length === 1 && key[0] === "client.address";
  }

  feed(hash: KeyHash, prefix: KeyHash, exchange: Exchange, template: string): boolean {
    return this.compiled.reader.feed(hash, prefix, exchange, template);
  }

  isOfMany(exchange: Exchange, template: string, isProxy: boolean): boolean {
    if (!isProxy && !isAddressless(exchange.clientAddress)) return false;
    const { principal } = exchange;
    if (this.#hasAddress || (this.#hasPrincipal && (principal === null || principal.type === "anonymous"))) return true;
    return this.#elseAddress && this.compiled.reader.missing(exchange, template) !== null;
  }

  label(exchange: Exchange, template: string): string {
    const { reader } = this.compiled;
    return (this.#isAddressAlone ? reader.text(exchange, template) : null) ?? reader.describe(exchange, template);
  }
}

function namesAddress(part: BanSettings["key"][number]): boolean {
  return typeof part === "string" ? part === "client.address" : part.expression.includes("client.address");
}

/** Settings → key, or null with problems reported. */
export function compileBanKey(name: string, settings: BanSettings, context: CompileContext): BanKey | null {
  if (settings.key.length === 1 && settings.key[0] === "account") return ACCOUNT;
  const compiled = compileLimitKey(name, settings, context);
  return compiled === null ? null : new AnyKey(compiled, settings);
}
