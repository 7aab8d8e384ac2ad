import { type Document, isMap, isScalar } from "yaml";
import type { z } from "zod";
import { DEFAULTS } from "../support/defaults.ts";
import { nearest, nearestHint } from "../support/schema.ts";

export type Path = readonly PropertyKey[];

/** The keys that a mapping of the file may have, by how deep it stands: the file, `callers[0]`, `callers[0].keys[0]`. */
export type KnownKeys = ReadonlyMap<number, readonly string[]>;

/** `offset` where it is not that of the value at `path`. */
export interface Fault {
  readonly path: Path;
  readonly text: string;
  readonly offset?: number;
}

/**
 * What the schema has against the file. Unknown keys are not named, only the known one that each is like: if the
 * policy names the wrong file, they are that file's text.
 */
export function findFaults(
  issues: readonly z.core.$ZodIssue[],
  document: Document.Parsed,
  knownKeys: KnownKeys,
): Fault[] {
  const unknown = issues.flatMap((issue) =>
    issue.code === "unrecognized_keys" ? unknownKeys(issue, document, knownKeys) : [],
  );
  const meant = new Set(unknown.flatMap((fault) => (fault.meant === undefined ? [] : [pathText(fault.meant)])));
  const others = issues.flatMap(({ code, path, message }): Fault[] => {
    if (code === "unrecognized_keys") return [];
    // The names of claims are the file's own.
    const offset = offsetOf(document, path);
    if (path.length > 3 && path[2] === "claims") return [{ path: path.slice(0, 3), text: CLAIM_EXPECTED, offset }];
    if (path.length === 0 || document.hasIn(path)) return [{ path, text: message }];
    // Misspelt is not missing.
    if (meant.has(pathText(path))) return [];
    return [{ path: path.slice(0, -1), text: `'${String(path.at(-1))}' is missing; ${message}` }];
  });
  return [...unknown, ...others];
}

const CLAIM_EXPECTED = "expected text, a finite number, true, false, null, or a list or mapping of them";

function unknownKeys(
  { path, keys }: z.core.$ZodIssueUnrecognizedKeys,
  document: Document.Parsed,
  knownKeys: KnownKeys,
): (Fault & { readonly meant: Path | undefined })[] {
  const known = knownKeys.get(path.length) ?? [];
  return keys.slice(0, DEFAULTS.fileProblemsMax).map((key) => {
    const near = nearest(key, known);
    const meant = near === undefined ? undefined : [...path, near];
    return { path, text: `unknown key; ${nearestHint(key, known)}`, offset: keyOffset(document, path, key), meant };
  });
}

/** Where `key` stands in the mapping at `path`. */
function keyOffset(document: Document.Parsed, path: Path, key: string): number {
  const mapping: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
  const pair = isMap(mapping) ? mapping.items.find((one) => isScalar(one.key) && String(one.key.value) === key) : null;
  return (isScalar(pair?.key) ? pair.key.range?.[0] : undefined) ?? offsetOf(document, path);
}

/** Where the value at `path` begins, or the nearest that exists above it. */
export function offsetOf(document: Document.Parsed, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    const range = typeof node === "object" && node !== null && "range" in node ? node.range : null;
    if (Array.isArray(range) && typeof range[0] === "number") return range[0];
  }
  return document.contents?.range[0] ?? 0;
}

export function pathText(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    return text === "" ? String(step) : `${text}.${String(step)}`;
  }, "");
}
