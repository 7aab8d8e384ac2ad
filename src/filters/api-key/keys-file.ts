import { type Document, isMap, isScalar, LineCounter, parseDocument, visit } from "yaml";
import type { z } from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import { nearest, nearestHint } from "../../support/schema.ts";
import { callerName, type KeysFile, KNOWN_KEYS, keyDigest, keysFileSchema } from "./keys-schema.ts";

/** What is wrong with a keys file and where. The text repeats no value, for any of them may be a key in clear. */
export interface KeysProblem {
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly text: string;
}

type Path = readonly PropertyKey[];

/** Text of a keys file → callers; with any problem none of them may be used. */
export function readKeysFile(text: string): {
  readonly callers: KeysFile["callers"];
  readonly problems: KeysProblem[];
} {
  const lines = new LineCounter();
  // prettyErrors would quote the line that is wrong.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems: KeysProblem[] = [];
  const report = (offset: number, path: Path, problem: string): void => {
    const { line, col } = lines.linePos(offset);
    problems.push({ line, column: col, path: pathText(path), text: problem });
  };
  for (const error of document.errors) report(error.pos[0], [], `not valid YAML (${error.code})`);
  visit(document, {
    // A list of callers needs none, and they can unfold without end.
    Alias: (_, { range }) => report(range?.[0] ?? 0, [], "aliases have no place in a keys file"),
  });
  if (problems.length > 0) return { callers: [], problems };

  const root: unknown = document.toJS();
  const parsed = keysFileSchema.safeParse(root);
  const faults = [...findFaults(parsed.error?.issues ?? [], document), ...findClashes(root)];
  for (const { path, text: problem, offset } of faults) report(offset ?? offsetOf(document, path), path, problem);
  return { callers: parsed.success && faults.length === 0 ? parsed.data.callers : [], problems };
}

/** `offset` where it is not that of the value at `path`. */
interface Fault {
  readonly path: Path;
  readonly text: string;
  readonly offset?: number;
}

/**
 * What the schema has against the file. Unknown keys are not named, only the known one that each is like: if the
 * policy names the wrong file, they are that file's text.
 */
function findFaults(issues: readonly z.core.$ZodIssue[], document: Document.Parsed): Fault[] {
  const unknown = issues.flatMap((issue) => (issue.code === "unrecognized_keys" ? unknownKeys(issue, document) : []));
  const meant = new Set(unknown.flatMap((fault) => (fault.meant === undefined ? [] : [pathText(fault.meant)])));
  const others = issues.flatMap(({ code, path, message }): Fault[] => {
    if (code === "unrecognized_keys") return [];
    // The names of attributes are the file's own.
    const offset = offsetOf(document, path);
    if (path.length > 3 && path[2] === "attributes")
      return [{ path: path.slice(0, 3), text: ATTRIBUTE_EXPECTED, offset }];
    if (path.length === 0 || document.hasIn(path)) return [{ path, text: message }];
    // Misspelt is not missing.
    if (meant.has(pathText(path))) return [];
    return [{ path: path.slice(0, -1), text: `'${String(path.at(-1))}' is missing; ${message}` }];
  });
  return [...unknown, ...others];
}

const ATTRIBUTE_EXPECTED = "expected text, a finite number, true, false, null, or a list or mapping of them";

function unknownKeys(
  { path, keys }: z.core.$ZodIssueUnrecognizedKeys,
  document: Document.Parsed,
): (Fault & { readonly meant: Path | undefined })[] {
  const known = KNOWN_KEYS.get(path.length) ?? [];
  return keys.slice(0, DEFAULTS.fileProblemsMax).map((key) => {
    const near = nearest(key, known);
    const meant = near === undefined ? undefined : [...path, near];
    return { path, text: `unknown key; ${nearestHint(key, known)}`, offset: keyOffset(document, path, key), meant };
  });
}

/**
 * Two callers of one name, or one key for two callers: whose request it is would hang on the order in the file. Read
 * from the file as it stands, so that a fault elsewhere hides none of them.
 */
function findClashes(root: unknown): Fault[] {
  const clashes: Fault[] = [];
  const names = new Set<string>();
  const digests = new Set<string>();
  for (const [at, caller] of listUnder(root, "callers").entries()) {
    const { data: name } = callerName.safeParse(valueUnder(caller, "name"));
    if (name !== undefined) {
      if (names.has(name)) clashes.push({ path: ["callers", at, "name"], text: "an earlier caller has this name" });
      names.add(name);
    }
    for (const [keyAt, key] of listUnder(caller, "keys").entries()) {
      const { data: digest } = keyDigest.safeParse(valueUnder(key, "sha256"));
      if (digest === undefined) continue;
      const path = ["callers", at, "keys", keyAt, "sha256"];
      if (digests.has(digest)) clashes.push({ path, text: "this key stands in the file twice" });
      digests.add(digest);
    }
  }
  if (digests.size > DEFAULTS.apiKeysMax) {
    clashes.push({ path: ["callers"], text: `more than ${DEFAULTS.apiKeysMax} keys` });
  }
  return clashes;
}

function valueUnder(mapping: unknown, key: string): unknown {
  if (typeof mapping !== "object" || mapping === null || !Object.hasOwn(mapping, key)) return undefined;
  return Reflect.get(mapping, key);
}

function listUnder(mapping: unknown, key: string): readonly unknown[] {
  const value = valueUnder(mapping, key);
  return Array.isArray(value) ? value : [];
}

/** Where `key` stands in the mapping at `path`. */
function keyOffset(document: Document.Parsed, path: Path, key: string): number {
  const mapping: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
  const pair = isMap(mapping) ? mapping.items.find((one) => isScalar(one.key) && String(one.key.value) === key) : null;
  return (isScalar(pair?.key) ? pair.key.range?.[0] : undefined) ?? offsetOf(document, path);
}

/** Where the value at `path` begins, or the nearest that exists above it. */
function offsetOf(document: Document.Parsed, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    const range = typeof node === "object" && node !== null && "range" in node ? node.range : null;
    if (Array.isArray(range) && typeof range[0] === "number") return range[0];
  }
  return document.contents?.range[0] ?? 0;
}

function pathText(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    return text === "" ? String(step) : `${text}.${String(step)}`;
  }, "");
}
