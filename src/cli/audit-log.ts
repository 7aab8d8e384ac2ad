import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type AuditHead, headText, readHead } from "../records/audit-chain.ts";
import { type AuditFinding, AuditVerifier } from "../records/audit-verifier.ts";
import { err, ok, type Result } from "../support/result.ts";
import { withoutLineEnd } from "../support/secret.ts";
import { type Command, type CommandIo, EXIT, JSON_OPTION, misuse, type Options, parseOptions } from "./command.ts";
import { type Tell, withProgress } from "./progress.ts";
import { linesOf, openLines } from "./record-lines.ts";

const OPTIONS = {
  "key-file": {
    type: "string",
    value: "FILE",
    text: "the key of the policy's 'log.audit.key': each line has to be written with it",
  },
  head: {
    type: "string",
    value: "HEAD",
    text: "a head that was noted elsewhere, as in 42:9f86d0…: shows that the newest lines are there, too",
  },
  ...JSON_OPTION,
} as const satisfies Options;

export const auditLogCommand: Command = {
  name: "audit-log",
  summary: "Says whether an audit log is whole, and names the first line that was changed, removed or moved.",
  usage: "verify [--key-file FILE] [--head HEAD] [--json] FILE...",
  words: ["verify"],
  options: OPTIONS,
  notes:
    "FILE: older ones first, packed by gzip or not. Of the last, the head in FILE.head is compared with where there is no --head.",
  example: `postern audit-log verify /var/log/postern/audit.jsonl.1 /var/log/postern/audit.jsonl
Exit code 0: whole. 1: broken. 2: used wrongly.`,

  async run(args, io) {
    const parsed = parseOptions(args, OPTIONS);
    if (!parsed.ok) return misuse(auditLogCommand, parsed.error, io);
    const { values, positionals } = parsed.value;
    const [act, ...files] = positionals;
    if (act !== "verify")
      return misuse(auditLogCommand, `expected 'verify'${act === undefined ? "" : `, not '${act}'`}`, io);
    if (files.length === 0) return misuse(auditLogCommand, "expected the file of an audit log", io);
    const key = keyOf(values["key-file"], io);
    if (!key.ok) return misuse(auditLogCommand, key.error, io);
    const head = headOf(values.head, files.at(-1) ?? "", io);
    if (!head.ok) return misuse(auditLogCommand, head.error, io);
    const verifier = new AuditVerifier(key.value, head.value);
    const isJson = values.json === true;
    const broken = await withProgress(io, isJson, (told, tell) => follow(verifier, files, told, tell));
    if (!broken.ok) return misuse(auditLogCommand, broken.error, io);
    if (broken.value !== null && verifier.needsKey) {
      return misuse(auditLogCommand, `${broken.value.place}: ${broken.value.text}`, io);
    }
    io.stdout(isJson ? jsonText(verifier, broken.value) : wordsOf(verifier, broken.value));
    return broken.value === null ? EXIT.fine : EXIT.problems;
  },
};

function keyOf(file: string | undefined, { cwd }: CommandIo): Result<Buffer | null, string> {
  if (file === undefined) return ok(null);
  try {
    return ok(withoutLineEnd(readFileSync(resolve(cwd, file))));
  } catch {
    return err(`the key '${file}' cannot be read`);
  }
}

function headOf(told: string | undefined, last: string, { cwd }: CommandIo): Result<AuditHead | null, string> {
  if (told !== undefined) {
    const head = readHead(told);
    return head === null
      ? err("expected --head as the log tells it: a number, ':' and 64 hexadecimal digits")
      : ok(head);
  }
  try {
    return ok(readHead(readFileSync(resolve(cwd, `${last}.head`), "latin1")));
  } catch {
    return ok(null); // Taken elsewhere without it.
  }
}

async function follow(
  verifier: AuditVerifier,
  files: readonly string[],
  { cwd }: CommandIo,
  tell: Tell,
): Promise<Result<AuditFinding | null, string>> {
  for (const file of files) {
    const opened = await openLines(resolve(cwd, file));
    if (!opened.ok) return err(`${file} ${opened.error}`);
    const { handle } = opened.value;
    try {
      for await (const lines of linesOf(handle)) {
        for (const { line, text } of lines) {
          tell(`${file}: line ${line}`);
          const broken = verifier.next(`${file}:${line}`, text);
          if (broken !== null) return ok(broken);
        }
      }
    } catch (error) {
      return err(
        `${file} cannot be read: ${error instanceof Error && "code" in error ? String(error.code) : "defect"}`,
      );
    } finally {
      await handle.close();
    }
  }
  return ok(verifier.end());
}

function wordsOf(verifier: AuditVerifier, broken: AuditFinding | null): string {
  const { lines, first, head } = verifier.figures;
  const notes = verifier.notes.map(({ place, text }) => `note: ${place}: ${text}\n`).join("");
  if (broken !== null) return `${notes}${broken.place}: ${broken.text}\n`;
  if (head === null || first === null) return `${notes}no line\n`;
  return `${notes}whole: ${lines} lines, ${first} to ${head.seq} of the chain\nhead ${headText(head)}\n`;
}

function jsonText(verifier: AuditVerifier, broken: AuditFinding | null): string {
  const { lines, first, head } = verifier.figures;
  const told = {
    whole: broken === null,
    broken,
    lines,
    first,
    head: head === null ? null : headText(head),
    notes: verifier.notes,
  };
  return `${JSON.stringify(told, null, 2)}\n`;
}
