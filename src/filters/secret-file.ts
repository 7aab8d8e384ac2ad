import type { Document } from "yaml";
import { DEFAULTS } from "../support/defaults.ts";
import type { Steps } from "../support/turns.ts";
import { composeDocument } from "../yaml/compose.ts";
import { lineFinder } from "../yaml/lines.ts";
import { plainValue } from "../yaml/plain-value.ts";
import { readTokens } from "../yaml/tokens.ts";
import { type Fault, offsetOf, type Path, pathText } from "./secret-file-faults.ts";

/** What is wrong with such a file and where. The text repeats no value, for any of them may be a secret in clear. */
export interface SecretFileProblem {
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly text: string;
}

/** A YAML file that may hold secrets, as plain values. */
export interface SecretFile {
  readonly root: unknown;
  readonly document: Document.Parsed;
}

/** Problems of one file, with their lines, at most as many as are told of a policy. */
export class SecretFileReport {
  readonly problems: SecretFileProblem[] = [];
  readonly #at: (offset: number) => { readonly line: number; readonly column: number };

  constructor(text: string) {
    this.#at = lineFinder(text);
  }

  get isFull(): boolean {
    return this.problems.length >= DEFAULTS.policyProblemsMax;
  }

  add(offset: number, path: Path, text: string): void {
    if (!this.isFull) this.problems.push({ ...this.#at(offset), path: pathText(path), text });
  }

  fault(document: Document.Parsed, { path, text, offset }: Fault): void {
    this.add(offset ?? offsetOf(document, path), path, text);
  }

  /** Where the value at `path` stands. */
  placeOf(document: Document.Parsed, path: Path): { line: number; column: number; path: string } {
    return { ...this.#at(offsetOf(document, path)), path: pathText(path) };
  }
}

/** Null, with problems, where the text is no sound YAML: then the rest would be guesses. */
export function* readSecretFile(text: string, report: SecretFileReport): Steps<SecretFile | null> {
  const document = yield* parse(text, (offset, problem) => report.add(offset, [], problem));
  if (document === null) return null;
  const root =
    document.contents === null
      ? null
      : yield* plainValue(document.contents, null, ({ bare }, offset) => report.add(offset, [], bare));
  return report.problems.length > 0 ? null : { root, document };
}

function* parse(text: string, report: (offset: number, problem: string) => void): Steps<Document.Parsed | null> {
  const tokens = yield* readTokens(text);
  if (typeof tokens === "number") {
    report(tokens, `nested deeper than ${DEFAULTS.policyDepthMax} levels`);
    return null;
  }
  const composed = yield* composeDocument(tokens, text.length);
  if (composed === null) {
    report(0, "not valid YAML");
    return null;
  }
  for (const { code, pos } of composed.faults.slice(0, DEFAULTS.fileProblemsMax)) {
    report(pos[0], `not valid YAML (${code})`);
  }
  if (composed.secondAt !== null) report(composed.secondAt, "a second document begins here; expected one");
  return composed.faults.length > 0 || composed.secondAt !== null ? null : composed.document;
}

export function valueUnder(mapping: unknown, key: string): unknown {
  if (typeof mapping !== "object" || mapping === null || !Object.hasOwn(mapping, key)) return undefined;
  return Reflect.get(mapping, key);
}

export function listUnder(mapping: unknown, key: string): readonly unknown[] {
  const value = valueUnder(mapping, key);
  return Array.isArray(value) ? value : [];
}
