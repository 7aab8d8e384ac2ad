import { dirname, isAbsolute, join } from "node:path";
import type { Place } from "../../decision/verdict.ts";
import { type CidrTable, cidrTable } from "../../matching/cidr-table.ts";
import { parsePrefix } from "../../matching/prefix.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { withoutMark } from "../../support/text.ts";
import type { Steps } from "../../support/turns.ts";
import { defineFilter, type RouteContext } from "../filter.ts";
import { AddressCheck } from "./evaluate.ts";
import { type AddressSettings, addressSchema } from "./schema.ts";

/** `address`: who may send requests at all, before anything is spent on them. */
export const addressFilter = defineFilter<AddressSettings>({
  name: "address",
  defaults: "add",
  schema: addressSchema,
  *compile(settings, context) {
    const before = [settings.allow, settings.allowFile, settings.deny, settings.denyFile];
    if (before.every((list) => list === undefined)) {
      context.problem("no list of addresses; expected 'allow', 'allowFile', 'deny' or 'denyFile'");
      return;
    }
    const allow = yield* compileList(context, settings, "allow");
    const deny = yield* compileList(context, settings, "deny");
    // A list that could not be read must not become one that is not there.
    if (allow === undefined || deny === undefined) return;
    context.addCheck(new AddressCheck({ allow, deny }, context.place(), settings.mode ?? 100));
  },
});

/** The list under `key` together with its file; null where there is neither, undefined where a problem was reported. */
function* compileList(
  context: RouteContext,
  settings: AddressSettings,
  key: "allow" | "deny",
): Steps<CidrTable | null | undefined> {
  const inline = settings[key] ?? [];
  const file = settings[`${key}File`];
  if (settings[key] === undefined && file === undefined) return null;
  const content = file === undefined ? Buffer.alloc(0) : context.readFile(file, `${key}File`);
  if (content === null) return undefined;
  const plain = withoutMark(content);
  if (!plain.ok) {
    context.problem(`'${file}' is ${plain.error}`, `${key}File`);
    return undefined;
  }
  const inputs = [inline.join("\n"), plain.value];
  const list = yield* context.keep(`address ${key}`, inputs, () => readList(context, inline, plain.value, key, file));
  if (list === null) return undefined;
  if (list.cut !== null && file !== undefined) {
    const { count, first } = list.cut;
    const text = `'${file}': bits behind the length of ${count} prefixes are cut off, first at line ${first.line}`;
    context.warning(text, `${key}File`);
  }
  return list.table;
}

interface List {
  readonly table: CidrTable;
  /** Prefixes of the file that had bits set behind their length; null for none. */
  readonly cut: { readonly count: number; readonly first: Position } | null;
}

/** The addresses of the policy and of the file; null with problems reported. */
function* readList(
  context: RouteContext,
  inline: readonly string[],
  content: Buffer,
  key: "allow" | "deny",
  file: string | undefined,
): Steps<List | null> {
  const lines = new FileLines(content.toString("latin1"));
  const cut: number[] = [];
  // Feeds write 192.0.2.7/24 and mean all of it; in a list of whom to let in, that could be a slip for one address.
  const onHostBits = key === "deny" ? (index: number): void => void cut.push(index) : undefined;
  const table = yield* cidrTable(inOrder(inline, yield* lines.texts()), onHostBits);
  const slip = cut.find((index) => index < inline.length);
  if (table.ok && slip === undefined) {
    const [first] = cut;
    const seen = first === undefined ? null : { count: cut.length, first: lines.position(first - inline.length) };
    return { table: table.value, cut: seen };
  }
  if (slip !== undefined) reportSlips(context, inline, key);
  for (const fault of table.ok ? [] : table.error.slice(0, DEFAULTS.fileProblemsMax)) {
    if (fault.index < inline.length) context.problem(fault.text, key, fault.index);
    else if (file !== undefined) {
      // The line is not quoted: a wrong file name could be that of a secret.
      context.problemAt(placeOf(context, file, lines.position(fault.index - inline.length)), EXPECTED);
    }
  }
  return null;
}

function* inOrder(...lists: readonly (readonly string[])[]): Generator<string> {
  for (const list of lists) yield* list;
}

/** In the policy itself somebody is there to say what was meant. */
function reportSlips(context: RouteContext, inline: readonly string[], key: "allow" | "deny"): void {
  for (const [at, text] of inline.entries()) {
    const exact = parsePrefix(text);
    if (!exact.ok && parsePrefix(text, true).ok) context.problem(exact.error, key, at);
  }
}

function placeOf(context: RouteContext, file: string, position: Position): Place {
  const { file: policy, path } = context.place();
  return { file: isAbsolute(file) ? file : join(dirname(policy), file), ...position, path };
}

/** Both from 1. */
interface Position {
  readonly line: number;
  readonly column: number;
}

const COMMENT = /[#;]/;

/** Lines read between two yields. */
const STEP_LINES = 512;

/** One prefix a line; `#` or `;` begins a comment, as Spamhaus has it, blank lines do not count. */
class FileLines {
  readonly #content: string;
  readonly #lines: number[] = [];
  readonly #columns: number[] = [];

  constructor(content: string) {
    this.#content = content;
  }

  *texts(): Steps<readonly string[]> {
    const content = this.#content;
    const texts: string[] = [];
    for (let from = 0, line = 1; from <= content.length; line++) {
      const newline = content.indexOf("\n", from);
      const end = newline < 0 ? content.length : newline;
      if (line % STEP_LINES === 0) yield;
      const whole = content.slice(from, end);
      const text = (whole.split(COMMENT, 1)[0] ?? "").trim();
      from = end + 1;
      if (text === "") continue;
      this.#lines.push(line);
      this.#columns.push(whole.indexOf(text) + 1);
      texts.push(text);
    }
    return texts;
  }

  /** Of a text that was given, by its number from 0. */
  position(index: number): Position {
    return { line: this.#lines[index] ?? 1, column: this.#columns[index] ?? 1 };
  }
}

const EXPECTED = "expected an address or a prefix, as in 192.0.2.0/24 or 2001:db8::/32";
