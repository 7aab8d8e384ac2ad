import { relative, resolve } from "node:path";
import { Lexer } from "yaml";
import { AUDIT_RULES, LINT_RULES, type LintRule } from "../../decision/lint-rule.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { nearest } from "../../support/schema.ts";
import type { Steps } from "../../support/turns.ts";
import type { Warning } from "../snapshot.ts";
import type { Work } from "../work.ts";

/** What every such comment has; files without it are not looked at. */
const ALLOW_MARK = "postern: allow";

/** Characters between two yields. */
const STEP_CHARS = 4_096;

/** A comment `# postern: allow RULE because REASON`. */
interface Allowance {
  readonly line: number;
  readonly column: number;
  /** What follows the mark. */
  readonly text: string;
  /** The line that it speaks of: its own, or the next that has more than a comment. */
  readonly target: number;
}

/**
 * Stage: takes out the warnings that a comment of the policy, or of a file it names, allows. With `lints`, where every rule
 * was asked, comments that allow nothing, or say no reason, are told themselves.
 */
export function* silence(work: Work, lints: boolean): Steps<void> {
  const cwd = work.inputs.cwd ?? "";
  for (const [absolute, content] of work.files.containing(ALLOW_MARK)) {
    const allowances = yield* allowancesIn(absolute, content.toString("utf8"));
    const isHere = ({ place }: Warning): boolean => resolve(cwd, place.file) === absolute;
    const file = absolute === resolve(cwd, work.file) ? work.file : relative(cwd, absolute);
    for (const { line, column, text, target } of allowances) {
      yield;
      const place = { file, line, column, path: "" };
      const read = readAllowance(text);
      if (typeof read === "string") {
        if (lints) work.warnings.add("allow_malformed", place, read);
        continue;
      }
      const gone = work.warnings.take((one) => one.rule === read.rule && one.place.line === target && isHere(one));
      for (const warning of gone) work.silenced.push({ warning, because: read.because, place });
      // Of what could not be looked at nobody knows whether there is something to be silent about.
      const isAsked = lints && work.absent.isEmpty && (work.inputs.lint === "audit" || !AUDIT_RULES.has(read.rule));
      if (gone.length === 0 && isAsked)
        work.warnings.add("allow_unused", place, `nothing here for '${read.rule}' to be silent about`);
    }
  }
}

function readAllowance(text: string): { readonly rule: LintRule; readonly because: string } | string {
  const [, name = "", because = ""] = /^\s*(\S+)(?:\s+because\s+(\S.*))?/.exec(text) ?? [];
  if (!isRule(name)) {
    const near = nearest(name, Object.keys(LINT_RULES));
    const hint = near === undefined ? "expected a rule that 'check' names in brackets" : `did you mean '${near}'?`;
    return `there is no rule '${name.slice(0, DEFAULTS.lintNameLengthMax)}'; ${hint}`;
  }
  if (because === "") return `it says no reason; expected '# postern: allow ${name} because …'`;
  return { rule: name, because: because.trim() };
}

function isRule(name: string): name is LintRule {
  return Object.hasOwn(LINT_RULES, name);
}

function* allowancesIn(absolute: string, text: string): Steps<readonly Allowance[]> {
  const lines = text.split("\n");
  const found: Allowance[] = [];
  for (const at of yield* commentsOf(absolute, text)) {
    const mark = lines[at.line - 1]?.slice(at.column - 1) ?? "";
    const said = /^#\s*postern: allow(?!\S)(.*)$/.exec(mark.trimEnd())?.[1];
    if (said === undefined) continue;
    if (found.length >= DEFAULTS.policyProblemsMax) break;
    found.push({ ...at, text: said, target: targetOf(lines, at) });
  }
  return found;
}

/** Behind something it speaks of its own line; alone on it of the next line that says something. */
function targetOf(lines: readonly string[], { line, column }: { line: number; column: number }): number {
  if ((lines[line - 1] ?? "").slice(0, column - 1).trim() !== "") return line;
  let target = line + 1;
  while (target <= lines.length && /^\s*(?:#.*)?$/.test(lines[target - 1] ?? "")) target++;
  return target;
}

/** Where comments begin. Of YAML by its own tokens, for a text may have a # in it; of lists at every #. */
function* commentsOf(absolute: string, text: string): Steps<readonly { line: number; column: number }[]> {
  const found: { line: number; column: number }[] = [];
  let [line, lineStart, offset, yieldAt] = [1, 0, 0, STEP_CHARS];
  const pass = (part: string): void => {
    for (let at = part.indexOf("\n"); at >= 0; at = part.indexOf("\n", at + 1)) {
      line++;
      lineStart = offset + at + 1;
    }
    offset += part.length;
  };
  if (!/\.(?:ya?ml|json)$/.test(absolute)) {
    for (const part of text.split(/(?=#)/)) {
      if (part.startsWith("#")) found.push({ line, column: offset - lineStart + 1 });
      pass(part);
    }
    return found;
  }
  let isScalar = false;
  for (const lexeme of new Lexer().lex(text)) {
    // The lexer's own marks, for a document or scalar that begins, are no characters of the text.
    const isMark = lexeme === "\x02" || lexeme === "\x18" || lexeme === "\x1f";
    if (!isMark) {
      if (!isScalar && lexeme.startsWith("#")) found.push({ line, column: offset - lineStart + 1 });
      pass(lexeme);
    }
    isScalar = lexeme === "\x1f";
    if (offset < yieldAt) continue;
    yieldAt = offset + STEP_CHARS;
    yield;
  }
  return found;
}
