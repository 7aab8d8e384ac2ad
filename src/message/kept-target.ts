import { err, ok, type Result } from "../support/result.ts";
import { canonicalQuery, canonicalSegment, canonicalTarget, type Target, type TargetFault } from "./target.ts";

/** What a route may keep in its paths because its service is known to read it as it stands, as bits of a set. */
export const KEPT = { encodedSlashes: 1, emptySegments: 2, parameters: 4 } as const;

export function kindsOf(words: readonly (keyof typeof KEPT)[]): number {
  return words.reduce((kinds, word) => kinds | KEPT[word], 0);
}

/** What a target has that is refused where no route keeps it. */
export interface Oddity {
  /** Of `KEPT`. */
  readonly kinds: number;
  /** Why it is refused elsewhere. */
  readonly fault: TargetFault;
}

export interface KeptTarget {
  readonly target: Target;
  readonly oddity: Oddity | null;
}

/**
 * Raw target → canonical target, as `canonicalTarget` has it; where that refuses, the target with the odd forms of
 * `keeps` as they came. Dot segments beside them are refused, also those that decoding or stripping would bring about
 * (`..%2F`, `..;`): no two servers resolve them alike. So is a `//` at the beginning, which some take for a host.
 */
export function keptTarget(raw: string, keeps: number): Result<KeptTarget, TargetFault> {
  const strict = canonicalTarget(raw);
  if (strict.ok) return ok({ target: strict.value, oddity: null });
  const fault = strict.error;
  if (keeps === 0 || !raw.startsWith("/") || raw.startsWith("//")) return err(fault);
  const queryAt = raw.indexOf("?");
  const query = canonicalQuery(queryAt < 0 ? "" : raw.slice(queryAt), Math.max(0, queryAt));
  if (!query.ok) return query;
  const kept: string[] = [];
  let kinds = 0;
  const segments = raw.slice(1, queryAt < 0 ? raw.length : queryAt).split("/");
  for (const [at, segment] of segments.entries()) {
    const isLast = at === segments.length - 1;
    if (segment === "" && !isLast) kinds |= KEPT.emptySegments;
    const canonical = keptSegment(segment);
    if (canonical === null || hasDots(canonical) || (at === 0 && isNameless(canonical))) return err(fault);
    if (canonical.includes(";")) kinds |= KEPT.parameters;
    if (canonical.includes("%2F")) kinds |= KEPT.encodedSlashes;
    kept.push(canonical);
  }
  if ((kinds & ~keeps) !== 0 || kinds === 0) return err(fault);
  return ok({ target: { path: `/${kept.join("/")}`, query: query.value }, oddity: { kinds, fault } });
}

/** Canonical, with `%2F` and `;` in it; null where anything else is wrong. */
function keptSegment(segment: string): string | null {
  const parts: string[] = [];
  for (const part of segment.split(/(%2f|;)/i)) {
    const canonical = part === ";" || /^%2f$/i.test(part) ? ok(part.toUpperCase()) : canonicalSegment(part, 0);
    if (!canonical.ok) return null;
    parts.push(canonical.value);
  }
  return parts.join("");
}

/** A dot segment, or what becomes one when slashes are decoded; or a name that decoding leaves empty but for its parameters. */
function hasDots(segment: string): boolean {
  const [first = "", ...others] = segment.split("%2F");
  return /^\.{1,2}(?:;|%3B|$)|^%3B/.test(first) || others.some((part) => /^\.{0,2}(?:;|%3B)|^\.{1,2}$/.test(part));
}

/** Nothing is left of it where parameters are taken off, as of what style matrix of OpenAPI writes. */
function isNameless(segment: string): boolean {
  return segment.startsWith(";");
}

export function hasNameless(path: string): boolean {
  return path.includes("/;");
}

/**
 * The path as it is to whoever takes parameters off and joins slashes, and what that is where escaped slashes are decoded:
 * other places of which a rule may not be walked round.
 */
export function plainForms(path: string): readonly [plain: string, decoded: string] {
  const plain = path.replace(/;[^/]*/g, "").replace(/\/{2,}/g, "/");
  return [plain, plain.replaceAll("%2F", "/").replace(/\/{2,}/g, "/")];
}
