import { resolve } from "node:path";
import { readRegularFile } from "../daemon/regular-file.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { painter } from "../support/paint.ts";
import { err, ok, type Result } from "../support/result.ts";
import { decodeText } from "../support/text.ts";
import { type FormatFault, formatYaml } from "../yaml/format/format.ts";
import { type Command, type CommandIo, EXIT, misuse, type Options, parseOptions } from "./command.ts";
import { formatManifest } from "./fmt-manifest.ts";
import { layoutDiff } from "./line-diff.ts";
import { problemLine } from "./load-policy.ts";
import { isManifest } from "./manifest.ts";
import { replaceFile } from "./replace-file.ts";

const OPTIONS = {
  check: {
    type: "boolean",
    default: false,
    text: "writes nothing, lists the files that would change, and ends with 1 if there are any",
  },
  diff: { type: "boolean", default: false, text: "writes nothing, and shows what would change" },
  json: {
    type: "boolean",
    default: false,
    text: "for machines: each file, whether it changes, and what is wrong with it",
  },
} as const satisfies Options;

export const fmtCommand: Command = {
  name: "fmt",
  summary: "Lays out policies, and files that they name, in the one way, and keeps every comment.",
  usage: "[--check] [--diff] [--json] FILE...\n[--check] [--diff] -",
  options: OPTIONS,
  notes: "FILE - is standard input, laid out on standard output.",
  example: `postern fmt policy.yaml routes/*.yaml
Lists the files that it changed. Exit code 0: all are laid out. 1: one is not YAML, or cannot be read or written. 2: used
wrongly.`,

  async run(args, io) {
    const parsed = parseOptions(args, OPTIONS);
    if (!parsed.ok) return misuse(fmtCommand, parsed.error, io);
    const { values, positionals } = parsed.value;
    if (positionals.length === 0) return misuse(fmtCommand, "expected the name of a file, or - for standard input", io);
    if (!positionals.includes("-")) return formatFiles(positionals, values, io);
    if (positionals.length > 1 || values.json)
      return misuse(fmtCommand, "standard input goes alone, without --json", io);
    return formatInput(values, io);
  },
};

type How = { readonly check: boolean; readonly diff: boolean; readonly json: boolean };

interface Formatted {
  readonly before: string;
  readonly after: string;
  /** Parts that stay as they are. */
  readonly left: readonly FormatFault[];
}

function format(file: string, bytes: Buffer): Result<Formatted, FormatFault> {
  const decoded = decodeText(bytes);
  if (!decoded.ok) return fault(`is ${decoded.error}`);
  if (file.endsWith(".json")) return fault("is JSON; expected YAML");
  const before = decoded.value;
  if (isManifest(bytes)) {
    const manifest = formatManifest(before);
    return manifest.ok ? ok({ before, after: manifest.value.text, left: manifest.value.left }) : manifest;
  }
  const after = formatYaml(before);
  return after.ok ? ok({ before, after: after.value, left: [] }) : after;
}

function fault(text: string): Result<never, FormatFault> {
  return err({ text, line: 1, column: 1 });
}

/** A mark at the beginning of the file stays. */
function bytesOf(text: string, old: Buffer): Buffer {
  const mark = old.subarray(0, 3).equals(UTF8_MARK) ? UTF8_MARK : Buffer.alloc(0);
  return Buffer.concat([mark, Buffer.from(text)]);
}

const UTF8_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

function formatFiles(files: readonly string[], how: How, io: CommandIo): number {
  const told = files.map((file) => formatFile(file, how, io));
  if (how.json) io.stdout(`${JSON.stringify(told, null, 2)}\n`);
  const isWrong = told.some(({ changed, problems }) => problems.length > 0 || (changed && how.check));
  return isWrong ? EXIT.problems : EXIT.fine;
}

interface ToldFile {
  readonly file: string;
  /** Whether it was, or would be. */
  readonly changed: boolean;
  readonly problems: readonly FormatFault[];
}

function formatFile(file: string, how: How, io: CommandIo): ToldFile {
  const read = readRegularFile(resolve(io.cwd, file), DEFAULTS.policyBytesMax);
  const formatted = read.ok ? format(file, read.value) : fault(read.error);
  if (!read.ok || !formatted.ok) return refused(file, formatted.ok ? null : formatted.error, how, io);
  const { before, after, left } = formatted.value;
  for (const one of left) if (!how.json) io.stderr(lineOf(file, one));
  const changed = after !== before;
  if (changed && !how.check && !how.diff) {
    const replaced = replaceFile(resolve(io.cwd, file), read.value, bytesOf(after, read.value));
    if (!replaced.ok) return refused(file, { text: replaced.error, line: 1, column: 1 }, how, io);
  }
  if (changed && !how.json)
    io.stdout(how.diff ? layoutDiff(file, before, after, painter(io.colour === true)) : `${file}\n`);
  return { file, changed, problems: [] };
}

function refused(file: string, problem: FormatFault | null, how: How, io: CommandIo): ToldFile {
  const problems = problem === null ? [] : [problem];
  for (const one of problems) if (!how.json) io.stderr(lineOf(file, one));
  return { file, changed: false, problems };
}

function lineOf(file: string, { text, line, column }: FormatFault): string {
  return problemLine({ place: { file, line, column, path: "" }, text });
}

function formatInput(how: How, io: CommandIo): number {
  const bytes = io.stdin?.() ?? Buffer.alloc(0);
  const formatted = format("-", bytes);
  if (!formatted.ok) {
    io.stderr(lineOf("-", formatted.error));
    return EXIT.problems;
  }
  const { before, after, left } = formatted.value;
  for (const one of left) io.stderr(lineOf("-", one));
  if (how.diff && after !== before) io.stdout(layoutDiff("-", before, after, painter(io.colour === true)));
  if (!how.diff && !how.check) io.stdout(bytesOf(after, bytes).toString("utf8"));
  return how.check && after !== before ? EXIT.problems : EXIT.fine;
}
