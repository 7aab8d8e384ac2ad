import { HeaderBlock } from "../../../message/headers.ts";
import type { HeadEdit } from "../../filter.ts";
import type { CookieRule, SameSite } from "./schema.ts";

const NAME = "set-cookie";
/** Browsers take no longer name with its value, and do not see a longer attribute (RFC 6265bis section 5.6). */
const PAIR_CHARS_MAX = 4096;
const ATTRIBUTE_CHARS_MAX = 1024;
/** A cookie with one of these is none for browsers (the same); a tab may stand between words. */
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;
/** They promise flags by their names (RFC 6265bis section 4.1.3), in any case of letters. */
const PREFIX = /^__(?:secure|host|http|host-http)-/i;
const HOST_PREFIX = /^__host-/i;
const HTTP_PREFIX = /^__(?:host-)?http-/i;
const STRICTNESS: Readonly<Record<string, number>> = { none: 0, lax: 1, strict: 2 };

interface Attribute {
  /** Lower case. */
  readonly name: string;
  readonly value: string;
}

/** Flags on the cookies of an answer, line by line: a comma is part of a date, so that lines are never joined or parted. */
export class CookieFlags implements HeadEdit {
  readonly word = "cookies";
  readonly settings: readonly CookieRule[];
  readonly #rules: readonly CookieRule[];

  constructor(rules: readonly CookieRule[]) {
    this.settings = rules;
    this.#rules = rules;
  }

  edit(headers: HeaderBlock, secure: boolean): HeaderBlock {
    if (!headers.names.includes(NAME)) return headers;
    const names: string[] = [];
    const values: string[] = [];
    headers.names.forEach((name, at) => {
      const value = headers.values[at] ?? "";
      const left = name === NAME ? this.#cookie(value, secure) : value;
      if (left === null) return;
      names.push(name);
      values.push(left);
    });
    return new HeaderBlock(names, values);
  }

  /** As browsers read it (RFC 6265bis section 5.6), which drop what is null here. */
  #cookie(line: string, secure: boolean): string | null {
    const [pair = "", ...rest] = line.split(";");
    const equals = pair.indexOf("=");
    const name = equals < 0 ? "" : trim(pair.slice(0, equals));
    const value = trim(pair.slice(equals + 1));
    if (CONTROL.test(line) || name.length + value.length > PAIR_CHARS_MAX) return null;
    // It would come back as a cookie of the name that its value begins with.
    if (name === "" && (value === "" || PREFIX.test(value))) return null;
    const attributes = rest.map(attributeOf);
    if (HOST_PREFIX.test(name) && !isOfHost(attributes)) return null;
    const rule = this.#rules.find((one) => isFor(one, name)) ?? {};
    const flags = missingFlags(attributes, name, rule, secure);
    const site = siteOf(attributes, rule.sameSite);
    if (site === null) return flags === "" ? line : line + flags;
    const others = rest.filter((_, at) => attributes[at]?.name !== "samesite");
    return `${[pair, ...others].join(";")}${flags}; SameSite=${site}`;
  }
}

function trim(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, "");
}

function attributeOf(text: string): Attribute {
  const equals = text.indexOf("=");
  const name = trim(equals < 0 ? text : text.slice(0, equals)).toLowerCase();
  return { name, value: equals < 0 ? "" : trim(text.slice(equals + 1)) };
}

function isFor({ names, except }: CookieRule, name: string): boolean {
  return (names === undefined || names.some((one) => isNamed(one, name))) && !except?.some((one) => isNamed(one, name));
}

function isNamed(pattern: string, name: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** What `__Host-` promises: no other host gets it, and no path has another. The last attribute of a name counts. */
function isOfHost(attributes: readonly Attribute[]): boolean {
  const domain = attributes.findLast(({ name }) => name === "domain")?.value ?? "";
  const path = attributes.findLast(({ name }) => name === "path")?.value;
  return domain === "" && path === "/";
}

/** `; Secure` and the like, as far as browsers do not see them there. */
function missingFlags(attributes: readonly Attribute[], name: string, rule: CookieRule, secure: boolean): string {
  const has = (flag: string): boolean =>
    attributes.some((one) => one.name === flag && one.value.length <= ATTRIBUTE_CHARS_MAX);
  const wantsSecure = PREFIX.test(name) || rule.secure === true || (rule.secure === "tls" && secure);
  const wantsHttpOnly = HTTP_PREFIX.test(name) || rule.httpOnly === true;
  let flags = "";
  if (wantsSecure && !has("secure")) flags += "; Secure";
  if (wantsHttpOnly && !has("httponly")) flags += "; HttpOnly";
  if (rule.partitioned === true && !has("partitioned")) flags += "; Partitioned";
  return flags;
}

/** What is to stand there in place of the service's own word; null for that word. */
function siteOf(attributes: readonly Attribute[], least: SameSite | undefined): SameSite | null {
  if (least === undefined) return null;
  const own = attributes.filter(({ name }) => name === "samesite");
  const last = own.at(-1)?.value.toLowerCase() ?? "";
  const isEnough = (STRICTNESS[last] ?? -1) >= (STRICTNESS[least.toLowerCase()] ?? 0);
  return own.length === 1 && isEnough ? null : strictest(last, least);
}

/** Of several words the last counts, where it is one of them. */
function strictest(last: string, least: SameSite): SameSite {
  if (last === "strict" || least === "Strict") return "Strict";
  return last === "lax" || least === "Lax" ? "Lax" : "None";
}
