import { type Document, LineCounter, parseDocument, visit } from "yaml";
import type { z } from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import { type KeysFile, keysFileSchema } from "./keys-schema.ts";

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

  const parsed = keysFileSchema.safeParse(document.toJS());
  if (!parsed.success) {
    for (const issue of parsed.error.issues) report(offsetOf(document, issue.path), issue.path, issueText(issue));
    return { callers: [], problems };
  }
  const { callers } = parsed.data;
  for (const { path, text: problem } of findClashes(callers)) report(offsetOf(document, path), path, problem);
  return { callers, problems };
}

/** Unknown keys are not named: if the policy names the wrong file, they are that file's text. */
function issueText(issue: z.core.$ZodIssue): string {
  return issue.message.startsWith("unknown key '") ? "a key that has no meaning here" : issue.message;
}

/** Two callers of one name, or one key for two callers: whose request it is would hang on the order in the file. */
function findClashes(callers: KeysFile["callers"]): { readonly path: Path; readonly text: string }[] {
  const clashes: { path: Path; text: string }[] = [];
  const names = new Set<string>();
  const digests = new Set<string>();
  for (const [at, caller] of callers.entries()) {
    if (names.has(caller.name))
      clashes.push({ path: ["callers", at, "name"], text: "an earlier caller has this name" });
    names.add(caller.name);
    for (const [keyAt, { sha256 }] of caller.keys.entries()) {
      const path = ["callers", at, "keys", keyAt, "sha256"];
      if (digests.has(sha256)) clashes.push({ path, text: "this key stands in the file twice" });
      digests.add(sha256);
    }
  }
  if (digests.size > DEFAULTS.apiKeysMax) {
    clashes.push({ path: ["callers"], text: `more than ${DEFAULTS.apiKeysMax} keys` });
  }
  return clashes;
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
